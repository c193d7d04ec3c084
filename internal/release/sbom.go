package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"runtime/debug"
	"strings"
	"time"
)

// The parts of a CycloneDX 1.5 document that are used.
type (
	bom struct {
		Format       string          `json:"bomFormat"`
		SpecVersion  string          `json:"specVersion"`
		Version      int             `json:"version"`
		Metadata     bomMetadata     `json:"metadata"`
		Components   []bomComponent  `json:"components"`
		Dependencies []bomDependency `json:"dependencies"`
	}
	bomMetadata struct {
		Timestamp string       `json:"timestamp"`
		Component bomComponent `json:"component"`
	}
	bomComponent struct {
		Type       string        `json:"type"`
		Ref        string        `json:"bom-ref"`
		Name       string        `json:"name"`
		Version    string        `json:"version"`
		URL        string        `json:"purl"`
		Hashes     []bomHash     `json:"hashes,omitempty"`
		Properties []bomProperty `json:"properties,omitempty"`
	}
	bomHash struct {
		Algorithm string `json:"alg"`
		Content   string `json:"content"`
	}
	bomProperty struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	bomDependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

// billOfMaterials says what the program contains: the modules and the release of Go that it names
// itself. Which module requires which it does not know, so the program requires all of them.
func (b *build) billOfMaterials() (file, error) {
	module := func(kind, path, version string) bomComponent {
		url := moduleURL(path, version)
		return bomComponent{Type: kind, Ref: url, Name: path, Version: version, URL: url}
	}
	main := module("application", b.info.Main.Path, b.version)
	main.Hashes = []bomHash{{"SHA-256", hexSum(b.binary)}}
	for _, s := range b.info.Settings {
		main.Properties = append(main.Properties, bomProperty{"go:build:" + s.Key, s.Value})
	}
	document := bom{
		Format: "CycloneDX", SpecVersion: "1.5", Version: 1,
		Metadata: bomMetadata{Timestamp: b.time.UTC().Format(time.RFC3339), Component: main},
	}
	requires := bomDependency{Ref: main.Ref}
	for _, required := range b.parts() {
		part := module("library", required.Path, required.Version)
		if required.Sum != "" {
			part.Properties = []bomProperty{{"go:sum", required.Sum}}
		}
		document.Components = append(document.Components, part)
		requires.DependsOn = append(requires.DependsOn, part.Ref)
	}
	document.Dependencies = []bomDependency{requires}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(document)
	return file{"sbom.cdx.json", 0o644, text.Bytes()}, err
}

// parts are the standard library, under the name that scanners know, and the modules.
func (b *build) parts() []debug.Module {
	parts := []debug.Module{{Path: "std", Version: strings.TrimPrefix(b.info.GoVersion, "go")}}
	for _, module := range b.info.Deps {
		if module.Replace != nil {
			module = module.Replace
		}
		parts = append(parts, *module)
	}
	return parts
}

// moduleURL is the name of a module as a package URL.
func moduleURL(path, version string) string {
	return "pkg:golang/" + path + "@" + strings.ReplaceAll(version, "+", "%2B")
}

func hexSum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
