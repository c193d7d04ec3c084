//go:build platforms && linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// TestQemu has qemu run the program of a release for arm64, from its archive and from its wheel: as
// a driver of a Python, and as a worker of pip's execnet.
func TestQemu(t *testing.T) {
	made, err := release("arm64", platform{"linux", "arm64"}, "archive", "wheel")
	require.NoError(t, err)
	python := pythons.WithExecnet(t)

	name := "execnet-" + version + "-linux-arm64"
	fromArchive := filepath.Join(unpack(t, filepath.Join(made, name)), name, "execnet")
	runByQemu(t, fromArchive)
	out, err := exec.Command(fromArchive, "--version").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "execnet "+tag+" ")
	out, err = exec.Command(fromArchive, "exec", "--tx", "popen//python="+python, "-c",
		"channel.send(channel.receive() * 3)", "--send", `"é"`).CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, `{"gateway": "gw0", "item": "ééé"}`+"\n", string(out))

	wheels, err := filepath.Glob(filepath.Join(made, "execnet_go-*_aarch64*.whl"))
	require.NoError(t, err)
	require.Len(t, wheels, 1)
	target := t.TempDir()
	out, err = exec.Command(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index",
		"--target", target, "--platform", "manylinux2014_aarch64", "--only-binary", ":all:", wheels[0]).CombinedOutput()
	require.NoError(t, err, string(out))
	runByQemu(t, filepath.Join(target, "bin", "execnet"))
	script := exec.Command(python, "-c", `
import execnet, execnet_go
for engine in "cpython", "gpython":
    gateway = execnet.makegateway(execnet_go.worker("--engine", engine))
    channel = gateway.remote_exec("channel.send(channel.receive() * 7)")
    channel.send(6)
    assert channel.receive(60) == 42
print(gateway._rinfo().worker_version)
execnet.default_group.terminate(60)
`)
	script.Env = append(os.Environ(), "PYTHONPATH="+target)
	out, err = script.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, tag+"\n", string(out))
}

// runByQemu puts a script in the place of a program for arm64, which this system cannot start.
func runByQemu(t *testing.T, program string) {
	t.Helper()
	require.NoError(t, os.Rename(program, program+"-arm64"))
	text := fmt.Sprintf("#!/bin/sh\nexec qemu-aarch64-static -0 \"$0\" '%s-arm64' \"$@\"\n", program)
	require.NoError(t, os.WriteFile(program, []byte(text), 0o755))
}
