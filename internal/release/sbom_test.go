package main

import (
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The bill of materials names what the program that lies beside it says it contains.
func TestBillOfMaterials(t *testing.T) {
	t.Parallel()
	name := strings.Join([]string{"execnet", version, here.os, here.arch}, "-")
	folder := filepath.Join(unpack(t, filepath.Join(dist(t), name)), name)
	text, err := os.ReadFile(filepath.Join(folder, "sbom.cdx.json"))
	require.NoError(t, err)
	beside, err := os.ReadFile(filepath.Join(dist(t), name+".cdx.json"))
	require.NoError(t, err)
	assert.Equal(t, string(text), string(beside))

	var document struct {
		BOMFormat, SpecVersion string
		Metadata               struct {
			Timestamp string
			Component struct {
				Name, Version, PURL string
				Hashes              []struct{ Alg, Content string }
			}
		}
		Components []struct{ Type, Name, Version, PURL string }
	}
	require.NoError(t, json.Unmarshal(text, &document))
	assert.Equal(t, "CycloneDX 1.5", document.BOMFormat+" "+document.SpecVersion)
	assert.Equal(t, "2026-05-06T07:08:09Z", document.Metadata.Timestamp)
	assert.Equal(t, "pkg:golang/github.com/go-execnet/execnet@"+tag, document.Metadata.Component.PURL)
	program := filepath.Join(folder, here.program())
	binary, err := os.ReadFile(program)
	require.NoError(t, err)
	require.Len(t, document.Metadata.Component.Hashes, 1)
	assert.Equal(t, sha(binary), document.Metadata.Component.Hashes[0].Content)
	info, err := buildinfo.ReadFile(program)
	require.NoError(t, err)
	require.Len(t, document.Components, len(info.Deps)+1)
	assert.Equal(t, "pkg:golang/std@"+strings.TrimPrefix(runtime.Version(), "go"), document.Components[0].PURL)
	for i, module := range info.Deps {
		assert.Equal(t, "pkg:golang/"+module.Path+"@"+module.Version, document.Components[i+1].PURL)
	}
}

func TestModuleURL(t *testing.T) {
	assert.Equal(t, "pkg:golang/example.com/x/v2@v2.0.0%2Bincompatible", moduleURL("example.com/x/v2", "v2.0.0+incompatible"))
}
