package main

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	require.NoError(t, err)
	defer full.Close()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), binary, "exec", "-c", "channel.send(1); channel.receive()")
	cmd.Stdout, cmd.Stderr = full, &stderr
	assert.Error(t, cmd.Run())
	assert.Equal(t, 1, cmd.ProcessState.ExitCode())
	assert.Equal(t, "execnet exec: write /dev/stdout: no space left on device\n", stderr.String())
}
