package main

import (
	"bytes"
	"compress/gzip"
	"crypto/md5"
	"fmt"
	"path"
	"slices"
	"strings"
)

// deb makes a Debian package, which is an ar archive of three members (deb(5)).
func (b *build) deb(c companions) (file, error) {
	man, err := gzipped(c.man)
	if err != nil {
		return file{}, err
	}
	const doc = "usr/share/doc/execnet-go"
	files := slices.Concat(
		[]file{{"usr/bin/execnet", 0o755, b.binary}},
		below("usr/share/man/man1", man),
		below(doc, append(c.papers, c.sbom)),
		debianCompletions(c.completions),
	)
	for _, licence := range c.licences {
		name := licence.name
		if name == "LICENSE" {
			name = "copyright" // Debian's name for it
		}
		files = append(files, file{path.Join(doc, name), 0o644, licence.data})
	}
	data, err := tarred(files, b.time)
	if err != nil {
		return file{}, err
	}
	control, err := tarred([]file{
		{"control", 0o644, []byte(b.debControl(files))},
		{"md5sums", 0o644, []byte(md5sums(files))},
	}, b.time)
	if err != nil {
		return file{}, err
	}
	var packed bytes.Buffer
	packed.WriteString("!<arch>\n")
	for _, member := range []file{{"debian-binary", 0o644, []byte("2.0\n")}, {"control.tar.gz", 0o644, control}, {"data.tar.gz", 0o644, data}} {
		fmt.Fprintf(&packed, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", member.name, b.time.Unix(), 0, 0, 0o100644, len(member.data))
		packed.Write(member.data)
		if len(member.data)%2 == 1 {
			packed.WriteByte('\n') // members begin at even offsets
		}
	}
	return file{fmt.Sprintf("execnet-go_%s_%s.deb", debian(b.version), b.arch), 0o644, packed.Bytes()}, nil
}

// debControl is what dpkg knows of the package. Go's names of processors are those of Debian here.
func (b *build) debControl(files []file) string {
	size := 0
	for _, f := range files {
		size += (len(f.data) + 1023) / 1024
	}
	return fmt.Sprintf(`Package: execnet-go
Version: %s
Architecture: %s
Maintainer: The authors of execnet for Go
Installed-Size: %d
Suggests: python3
Section: devel
Priority: optional
Homepage: https://github.com/go-execnet/execnet
Description: worker, ssh server and pytest runner for Python's execnet
 Execnet starts Python interpreters on this host and on others, runs source in
 them and exchanges Python values with it. This is its port to Go, in one
 program that needs nothing else.
`, debian(b.version), b.arch, size)
}

func md5sums(files []file) string {
	var text strings.Builder
	for _, f := range sorted(files) {
		fmt.Fprintf(&text, "%x  %s\n", md5.Sum(f.data), f.name)
	}
	return text.String()
}

// debianCompletions puts the scripts where the shells look for them. Debian has no PowerShell.
func debianCompletions(scripts []file) (moved []file) {
	places := map[string]string{
		"execnet.bash": "usr/share/bash-completion/completions/execnet",
		"_execnet":     "usr/share/zsh/vendor-completions/_execnet",
		"execnet.fish": "usr/share/fish/vendor_completions.d/execnet.fish",
	}
	for _, script := range scripts {
		if place, ok := places[script.name]; ok {
			moved = append(moved, file{place, 0o644, script.data})
		}
	}
	return moved
}

// gzipped compresses each file; the same content gives the same bytes.
func gzipped(files []file) (packed []file, err error) {
	for _, f := range files {
		var data bytes.Buffer
		w, err := gzip.NewWriterLevel(&data, gzip.BestCompression)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		packed = append(packed, file{f.name + ".gz", f.mode, data.Bytes()})
	}
	return packed, nil
}
