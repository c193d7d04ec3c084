package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
)

//go:embed python/__init__.py
var pythonModule []byte

//go:embed python/README.md
var pythonReadme string

// wheelTags say on which systems pip installs a wheel. The program needs no C library, so one for
// glibc is also one for musl. Go 1.26 needs macOS 12.
var wheelTags = map[platform][]string{
	{"linux", "amd64"}:   {"manylinux2014_x86_64", "manylinux_2_17_x86_64", "musllinux_1_1_x86_64"},
	{"linux", "arm64"}:   {"manylinux2014_aarch64", "manylinux_2_17_aarch64", "musllinux_1_1_aarch64"},
	{"darwin", "amd64"}:  {"macosx_12_0_x86_64"},
	{"darwin", "arm64"}:  {"macosx_12_0_arm64"},
	{"windows", "amd64"}: {"win_amd64"},
	{"windows", "arm64"}: {"win_arm64"},
}

// wheel makes a package for pip: the program, which pip puts where the commands of its environment
// are, and the module execnet_go.
func (b *build) wheel(c companions) (file, error) {
	version, err := python(b.version)
	if err != nil {
		return file{}, err
	}
	tags := wheelTags[b.platform]
	name := "execnet_go-" + version
	info := name + ".dist-info"
	files := []file{
		{"execnet_go/__init__.py", 0o644, pythonModule},
		{name + ".data/scripts/" + b.program(), 0o755, b.binary},
	}
	files = append(files, below(info+"/licenses", c.licences)...)
	files = append(files, below(info+"/sboms", []file{c.sbom})...)
	files = append(files,
		file{info + "/METADATA", 0o644, []byte(wheelMetadata(version, c.licences))},
		file{info + "/WHEEL", 0o644, []byte(wheelFormat(tags))},
	)
	var record strings.Builder
	for _, f := range files {
		sum := sha256.Sum256(f.data)
		fmt.Fprintf(&record, "%s,sha256=%s,%d\n", f.name, base64.RawURLEncoding.EncodeToString(sum[:]), len(f.data))
	}
	fmt.Fprintf(&record, "%s/RECORD,,\n", info)
	files = append(files, file{info + "/RECORD", 0o644, []byte(record.String())})
	data, err := zipped(files, b.time)
	return file{fmt.Sprintf("%s-py3-none-%s.whl", name, strings.Join(tags, ".")), 0o644, data}, err
}

// wheelMetadata is what pip knows of the package (Metadata-Version 2.4 of PyPA's specifications).
func wheelMetadata(version string, licences []file) string {
	var text strings.Builder
	fmt.Fprintf(&text, `Metadata-Version: 2.4
Name: execnet-go
Version: %s
Summary: Worker, ssh server and pytest runner for Python's execnet, in one program
License-Expression: MIT
`, version)
	for _, f := range licences {
		fmt.Fprintf(&text, "License-File: %s\n", f.name)
	}
	fmt.Fprintf(&text, `Project-URL: Source, https://github.com/go-execnet/execnet
Requires-Python: >=3.6
Description-Content-Type: text/markdown

%s`, pythonReadme)
	return text.String()
}

// wheelFormat says what kind of wheel it is.
func wheelFormat(tags []string) string {
	text := "Wheel-Version: 1.0\nGenerator: execnet-release\nRoot-Is-Purelib: false\n"
	for _, tag := range tags {
		text += "Tag: py3-none-" + tag + "\n"
	}
	return text
}
