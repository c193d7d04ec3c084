package main

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// wheelFile is the wheel for this platform.
func wheelFile(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dist(t), "execnet_go-1.2.3rc1-py3-none-*.whl"))
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

// newVenv makes a virtual environment, and returns its Python.
func newVenv(t *testing.T, folder string) string {
	t.Helper()
	out, err := exec.Command(pythons.WithExecnet(t), "-m", "venv", folder).CombinedOutput()
	require.NoError(t, err, string(out))
	if runtime.GOOS == "windows" {
		return filepath.Join(folder, "Scripts", "python.exe")
	}
	return filepath.Join(folder, "bin", "python")
}

// pip installs the wheel with pip and nothing from elsewhere.
func pip(t *testing.T, python string, options ...string) {
	t.Helper()
	args := append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"}, options...)
	out, err := exec.Command(python, append(args, wheelFile(t))...).CombinedOutput()
	require.NoError(t, err, string(out))
}

// execnetFolder is the folder from which pip's execnet is imported.
func execnetFolder(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(pythons.WithExecnet(t), "-c", "import execnet, os; print(os.path.dirname(os.path.dirname(execnet.__file__)))").Output()
	require.NoError(t, err)
	return strings.TrimSpace(string(out))
}

const drive = `
import execnet, execnet_go
for options in ([], ["--engine", "gpython"]):
    gateway = execnet.makegateway(execnet_go.worker(*options) + "//id=" + "go%d" % len(options))
    channel = gateway.remote_exec("channel.send(channel.receive() * 7)")
    channel.send(6)
    assert channel.receive(60) == 42
info = gateway._rinfo()
assert info.executable == execnet_go.executable(), info
print(info.worker_version)
execnet.default_group.terminate(60)
`

// A user installs the wheel into an environment that is new. The command is on its PATH, and pip's
// execnet drives it.
func TestWheelInVenv(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "a folder's venv")
	python := newVenv(t, folder)
	pip(t, python)
	environ := append(os.Environ(), "PATH="+filepath.Dir(python)+string(os.PathListSeparator)+os.Getenv("PATH"), "PYTHONPATH="+execnetFolder(t))
	shell := exec.Command("sh", "-c", "execnet --version && command -v execnet")
	if runtime.GOOS == "windows" {
		shell = exec.Command("cmd", "/c", "execnet --version && where execnet")
	}
	shell.Env = environ
	out, err := shell.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "execnet "+tag+" ")
	assert.Contains(t, string(out), folder)
	script := exec.Command(python, "-c", drive)
	script.Env = environ
	out, err = script.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, tag, strings.TrimSpace(string(out)))
	out, err = exec.Command(python, "-m", "pip", "--disable-pip-version-check", "uninstall", "--yes", "execnet-go").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.NoFileExists(t, filepath.Join(filepath.Dir(python), here.program()))
}

// With --target and --prefix there is no environment, and the package finds its command all the
// same.
func TestWheelElsewhere(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	python := newVenv(t, filepath.Join(folder, "venv"))
	target, prefix := filepath.Join(folder, "target"), filepath.Join(folder, "prefix")
	pip(t, python, "--target", target)
	pip(t, python, "--prefix", prefix)
	found, err := filepath.Glob(filepath.Join(prefix, "*", "*", "site-packages"))
	require.NoError(t, err)
	if runtime.GOOS == "windows" {
		found = []string{filepath.Join(prefix, "Lib", "site-packages")}
	}
	require.Len(t, found, 1)
	for _, packages := range []string{target, found[0]} {
		script := exec.Command(python, "-c", drive)
		script.Env = append(os.Environ(), "PYTHONPATH="+packages+string(os.PathListSeparator)+execnetFolder(t))
		out, err := script.CombinedOutput()
		require.NoError(t, err, string(out))
		assert.Equal(t, tag, strings.TrimSpace(string(out)))
	}
	require.NoError(t, os.RemoveAll(filepath.Join(target, "bin")))
	require.NoError(t, os.RemoveAll(filepath.Join(target, "Scripts")))
	script := exec.Command(python, "-c", "import execnet_go; execnet_go.worker()")
	script.Env = append(os.Environ(), "PYTHONPATH="+target)
	out, err := script.CombinedOutput()
	assert.Error(t, err)
	assert.Contains(t, string(out), "FileNotFoundError: the command execnet is at none of these places: ")
}

// RECORD names every file, with its hash; other installers than pip compare them.
func TestWheelRecord(t *testing.T) {
	t.Parallel()
	r, err := zip.OpenReader(wheelFile(t))
	require.NoError(t, err)
	defer r.Close()
	contents := map[string][]byte{}
	for _, f := range r.File {
		opened, err := f.Open()
		require.NoError(t, err)
		contents[f.Name], err = io.ReadAll(opened)
		require.NoError(t, err)
	}
	const info = "execnet_go-1.2.3rc1.dist-info/"
	rows, err := csv.NewReader(bytes.NewReader(contents[info+"RECORD"])).ReadAll()
	require.NoError(t, err)
	assert.Len(t, rows, len(contents))
	for _, row := range rows {
		data, ok := contents[row[0]]
		require.True(t, ok, row[0])
		if row[0] == info+"RECORD" {
			continue
		}
		sum, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(row[1], "sha256="))
		require.NoError(t, err)
		assert.Equal(t, sha(data), hex.EncodeToString(sum), row[0])
	}
	for _, tag := range wheelTags[here] {
		assert.Contains(t, string(contents[info+"WHEEL"]), "\nTag: py3-none-"+tag+"\n")
	}
	for _, paper := range []string{"licenses/LICENSE", "licenses/NOTICES.txt", "sboms/sbom.cdx.json"} {
		assert.Contains(t, contents, info+paper)
	}
}

func TestEveryPlatformHasWheelTags(t *testing.T) {
	for _, p := range platforms {
		assert.NotEmpty(t, wheelTags[p], p)
	}
}
