package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// debFile is the package for this platform.
func debFile(t *testing.T) string {
	return filepath.Join(dist(t), "execnet-go_1.2.3~rc.1_"+here.arch+".deb")
}

// member is what a member of an ar archive holds.
func member(t *testing.T, archive, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(archive)
	require.NoError(t, err)
	rest, ok := bytes.CutPrefix(data, []byte("!<arch>\n"))
	require.True(t, ok)
	for len(rest) > 0 {
		header := string(rest[:60])
		require.Equal(t, "`\n", header[58:])
		size := 0
		for _, digit := range strings.TrimSpace(header[48:58]) {
			size = size*10 + int(digit-'0')
		}
		if strings.TrimSpace(header[:16]) == name {
			return rest[60 : 60+size]
		}
		rest = rest[60+size+size%2:]
	}
	t.Fatalf("%s has no %s", archive, name)
	return nil
}

// untar unpacks a .tar.gz into a new folder.
func untar(t *testing.T, data []byte) string {
	t.Helper()
	folder := t.TempDir()
	cmd := exec.Command("tar", "-xzf", "-", "-C", folder)
	cmd.Stdin = bytes.NewReader(data)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	return folder
}

// What is installed is where Debian's programs look for it, and the sums are those of the files.
func TestDeb(t *testing.T) {
	t.Parallel()
	folder := untar(t, member(t, debFile(t), "data.tar.gz"))
	for _, name := range []string{
		"usr/share/man/man1/execnet.1.gz", "usr/share/doc/execnet-go/copyright", "usr/share/doc/execnet-go/NOTICES.txt",
		"usr/share/doc/execnet-go/sbom.cdx.json", "usr/share/bash-completion/completions/execnet",
	} {
		assert.FileExists(t, filepath.Join(folder, name))
	}
	out, err := exec.Command(filepath.Join(folder, "usr/bin/execnet"), "--version").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "execnet "+tag+" ")
	control := untar(t, member(t, debFile(t), "control.tar.gz"))
	check := exec.Command("md5sum", "--check", "--quiet", filepath.Join(control, "md5sums"))
	check.Dir = folder
	out, err = check.CombinedOutput()
	assert.NoError(t, err, string(out))
	text, err := os.ReadFile(filepath.Join(control, "control"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "\nVersion: 1.2.3~rc.1\n")
	assert.Equal(t, "2.0\n", string(member(t, debFile(t), "debian-binary")))
}

// dpkg reads the package where there is a dpkg.
func TestDebWithDpkg(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/etc/debian_version"); err != nil {
		t.Skip("this is no Debian; TestDeb reads the package without dpkg")
	}
	out, err := exec.Command("dpkg-deb", "--field", debFile(t), "Package", "Version", "Architecture").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, "Package: execnet-go\nVersion: 1.2.3~rc.1\nArchitecture: "+here.arch+"\n", string(out))
	folder := t.TempDir()
	out, err = exec.Command("dpkg-deb", "--extract", debFile(t), folder).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.FileExists(t, filepath.Join(folder, "usr/bin/execnet"))
	if os.Geteuid() != 0 {
		return // only root can install: the files become root's
	}
	root := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/info"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(root, "var/lib/dpkg/updates"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "var/lib/dpkg/status"), nil, 0o644))
	out, err = exec.Command("dpkg", "--root="+root, "--install", debFile(t)).CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.Command("dpkg", "--root="+root, "--verify", "execnet-go").CombinedOutput()
	assert.NoError(t, err)
	assert.Empty(t, string(out))
	out, err = exec.Command(filepath.Join(root, "usr/bin/execnet"), "version").Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), tag)
}
