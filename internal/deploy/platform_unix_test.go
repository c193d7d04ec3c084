//go:build unix

package deploy

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// saysItIs makes uname say what the host is.
func (a *account) saysItIs(t *testing.T, system string) {
	t.Helper()
	name := filepath.Join(a.bin, "uname")
	_ = os.Remove(name)
	require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\necho "+system+"\n"), 0o755))
}

// header is the beginning of an ELF file.
func header(abi byte, machine uint16) string {
	h := append([]byte("\x7fELF"), 2, 1, 1, abi)
	return string(append(append(h, make([]byte, 10)...), byte(machine), byte(machine>>8)))
}

// The kinds of processors in ELF files.
const amd64, arm64, riscv64 = 62, 183, 243

// TestOtherPlatforms has hosts whose uname says what they are.
func TestOtherPlatforms(t *testing.T) {
	a := newAccount(t, tools...)
	path := filepath.Join(t.TempDir(), "prog")
	require.NoError(t, os.WriteFile(path, []byte(header(0, amd64)+path), 0o755))
	require.NoError(t, os.WriteFile(path+"-linux-arm64", []byte(header(0, arm64)+path), 0o755))
	require.NoError(t, os.WriteFile(path+"-freebsd-amd64", []byte(header(9, amd64)+path), 0o755))
	require.NoError(t, os.WriteFile(path+"-darwin-arm64", []byte("\xcf\xfa\xed\xfe\x0c\x00\x00\x01............"), 0o755))
	s, err := File(path)
	require.NoError(t, err)
	for says, build := range map[string]string{
		"Linux x86_64": "", "Linux aarch64": "-linux-arm64", "FreeBSD amd64": "-freebsd-amd64", "Darwin arm64": "-darwin-arm64",
	} {
		a.saysItIs(t, says)
		there, err := a.Put(within.Soon(t), s)
		require.NoError(t, err, says)
		want, err := os.ReadFile(path + build)
		require.NoError(t, err)
		got, err := os.ReadFile(there)
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), says)
	}
	a.saysItIs(t, "Linux riscv64")
	_, err = a.Put(within.Soon(t), s)
	require.ErrorIs(t, err, errNoBuild)
	assert.ErrorContains(t, err, `execnet: cannot put the program on box: it is "Linux riscv64" there, and prog is built for linux/amd64, darwin/arm64, freebsd/amd64, linux/arm64; `+
		"there is no "+path+"-linux-riscv64: make it by GOOS=linux GOARCH=riscv64 CGO_ENABLED=0 go build -o "+path+"-linux-riscv64 ")
	a.saysItIs(t, "MINGW64_NT-10.0 x86_64")
	_, err = a.Put(within.Soon(t), s)
	assert.ErrorContains(t, err, `it is "MINGW64_NT-10.0 x86_64" there`)
	assert.ErrorContains(t, err, "Go has no name for that system and processor")

	require.NoError(t, os.WriteFile(path+"-linux-riscv64", []byte(header(0, amd64)+path), 0o755))
	_, err = File(path)
	assert.EqualError(t, err, "execnet: "+path+"-linux-riscv64 is no program for linux/riscv64 but for linux/amd64")
}

// TestBuilds has builds of this program in an fs.FS, of which the right one is brought.
func TestBuilds(t *testing.T) {
	t.Cleanup(func() { registered.builds = nil })
	content := header(0, riscv64) + "for another processor"
	AddBuilds(fstest.MapFS{
		"builds/agent-linux-riscv64": {Data: []byte(content)}, "builds/README": {Data: []byte("no program")}, "linux-arm64": {Data: []byte(header(0, arm64))},
	})
	s, err := Self()
	require.NoError(t, err)
	a := newAccount(t, tools...)
	a.saysItIs(t, "Linux riscv64")
	there, err := a.Put(within.Soon(t), s)
	require.NoError(t, err)
	got, err := os.ReadFile(there)
	require.NoError(t, err)
	assert.Equal(t, content, string(got))
	assert.Equal(t, s.name+"-"+sum(content), filepath.Base(there))
	a.saysItIs(t, "Linux aarch64")
	_, err = a.Put(within.Soon(t), s)
	require.NoError(t, err)
	a.saysItIs(t, "Linux s390x")
	_, err = a.Put(within.Soon(t), s)
	require.ErrorIs(t, err, errNoBuild)
	assert.ErrorContains(t, err, "GOOS=linux GOARCH=s390x CGO_ENABLED=0 go build -o "+s.beside+"-linux-s390x "+s.mainPath+", or give it to worker.Builds")

	AddBuilds(fstest.MapFS{"agent-linux-s390x": {Data: []byte(content)}})
	_, err = Self()
	assert.EqualError(t, err, "execnet: agent-linux-s390x is no program for linux/s390x but for linux/riscv64")
}
