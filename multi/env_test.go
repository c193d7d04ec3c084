//go:build unix

package multi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// TestEnvIsThereBeforeTheStart sets variables that an interpreter reads only when it starts, and
// one that it does not, on every road on which the interpreter is started by this module.
func TestEnvIsThereBeforeTheStart(t *testing.T) {
	t.Parallel()
	sshd, err := opensshd.Start(within.Soon(t), t.TempDir())
	require.NoError(t, err)
	defer sshd.Stop()
	g := multi.NewGroup()
	g.Stderr = t.Output()
	defer func() { require.NoError(t, g.Terminate(within.Soon(t))) }()
	makeGateway(t, g, pythons.Default(t).Spec()+"//id=host")
	installed := "//python=" + pythons.WithExecnet(t)
	python := "//python=" + pythons.Default(t).Path
	folder := t.TempDir()
	env := "//env:PYTHONPATH=" + folder + "//env:PYTHONHASHSEED=0//env:PYTHONUTF8=1//env:A_SECRET=it's \"here\""
	for road, spec := range map[string]string{
		"popen":        "popen" + python,
		"installed":    "popen//bootstrap=import" + installed,
		"ssh":          "ssh=box//ssh_config=" + sshd.ConfigFile + python,
		"openssh":      "ssh=box//sshclient=openssh//ssh_config=" + sshd.ConfigFile + python,
		"via":          "popen//via=host" + python,
		"same via":     "popen//via=host",
		"ssh, via":     "ssh=box//via=host//ssh_config=" + sshd.ConfigFile + python,
		"ssh, import":  "ssh=box//bootstrap=import//ssh_config=" + sshd.ConfigFile + installed,
		"ssh, default": "ssh=box//ssh_config=" + sshd.ConfigFile,
	} {
		t.Run(road, func(t *testing.T) {
			gw := makeGateway(t, g, spec+env)
			ch, err := gw.RemoteExec(t.Context(), `
				import os, sys
				command = open("/proc/self/cmdline", "rb").read() if os.path.exists("/proc/self/cmdline") else b""
				channel.send([channel.receive() in sys.path, sys.flags.hash_randomization, sys.flags.utf8_mode,
					os.environ["A_SECRET"], b"A_SECRET" in command])
			`)
			require.NoError(t, err)
			require.NoError(t, ch.Send(t.Context(), folder))
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, []any{true, int64(0), int64(1), `it's "here"`, false}, item)
		})
	}
}
