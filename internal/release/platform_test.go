package main

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The files of all platforms have names of their own, which say for what they are.
func TestNamesOfFiles(t *testing.T) {
	var names []string
	for _, p := range platforms {
		b := &build{platform: p, binary: []byte("program"), version: "v1.2.3", time: time.Unix(1e9, 0)}
		archive, err := b.archive(companions{})
		require.NoError(t, err)
		wheel, err := b.wheel(companions{})
		require.NoError(t, err)
		names = append(names, archive.name, wheel.name)
		if p.os != "linux" {
			continue
		}
		deb, err := b.deb(companions{})
		require.NoError(t, err)
		names = append(names, deb.name)
	}
	assert.Equal(t, []string{
		"execnet-1.2.3-linux-amd64.tar.gz",
		"execnet_go-1.2.3-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.musllinux_1_1_x86_64.whl",
		"execnet-go_1.2.3_amd64.deb",
		"execnet-1.2.3-linux-arm64.tar.gz",
		"execnet_go-1.2.3-py3-none-manylinux2014_aarch64.manylinux_2_17_aarch64.musllinux_1_1_aarch64.whl",
		"execnet-go_1.2.3_arm64.deb",
		"execnet-1.2.3-darwin-amd64.tar.gz", "execnet_go-1.2.3-py3-none-macosx_12_0_x86_64.whl",
		"execnet-1.2.3-darwin-arm64.tar.gz", "execnet_go-1.2.3-py3-none-macosx_12_0_arm64.whl",
		"execnet-1.2.3-windows-amd64.zip", "execnet_go-1.2.3-py3-none-win_amd64.whl",
		"execnet-1.2.3-windows-arm64.zip", "execnet_go-1.2.3-py3-none-win_arm64.whl",
	}, names)
}

// The archive for Windows is a zip, and the program has the name that Windows runs.
func TestWindowsArchive(t *testing.T) {
	b := &build{platform: platform{"windows", "amd64"}, binary: []byte("program"), version: "v1.2.3", time: time.Unix(1e9, 0)}
	archive, err := b.archive(companions{licences: []file{{"LICENSE", 0o644, []byte("MIT")}}})
	require.NoError(t, err)
	r, err := zip.NewReader(bytes.NewReader(archive.data), int64(len(archive.data)))
	require.NoError(t, err)
	program, err := fs.ReadFile(r, "execnet-1.2.3-windows-amd64/execnet.exe")
	require.NoError(t, err)
	assert.Equal(t, "program", string(program))
	licence, err := fs.Stat(r, "execnet-1.2.3-windows-amd64/LICENSE")
	require.NoError(t, err)
	assert.Equal(t, time.Unix(1e9, 0).UTC(), licence.ModTime().UTC())
}
