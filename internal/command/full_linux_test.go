package command

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
	source, base := trees(t, map[string]string{"a": "a"})
	for _, args := range [][]string{
		{"exec", "-c", "channel.send(1); channel.receive()"},
		{"info"},
		{"rsync", source, base + "/dest"},
	} {
		var stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Stdout, cmd.Stderr = full, &stderr
		assert.Error(t, cmd.Run())
		assert.Equal(t, 1, cmd.ProcessState.ExitCode())
		assert.Equal(t, "execnet "+args[0]+": write /dev/stdout: no space left on device\n", stderr.String())
	}
}
