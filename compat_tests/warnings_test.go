//go:build unix

package compat_tests

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

// TestNoWarnings checks that nothing of this module makes Python warn, in the mode that shows every
// warning: whatever workers do for a driver, and however it ends.
func TestNoWarnings(t *testing.T) {
	independent(t)
	t.Setenv("PYTHONDEVMODE", "1")
	t.Setenv("PYTHONWARNINGS", "default,error::ResourceWarning")
	all := pythons.All(t)
	for _, python := range []pythons.Interpreter{pythons.Default(t), all[len(all)-1]} {
		popen := "popen//python=" + python.Path
		for name, do := range map[string]func(t *testing.T, group *execnet.Group, host *execnet.Gateway){
			"executions": func(t *testing.T, _ *execnet.Group, host *execnet.Gateway) {
				for _, source := range []string{"channel.send(1)", "1/0", "channel.gateway.newchannel().send(1)"} {
					_ = remoteExec(t, host, source).WaitClose(within.Soon(t))
				}
				_, err := host.RInfo(within.Soon(t))
				require.NoError(t, err)
			},
			"via": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
				sub := makeGateway(t, group, popen+"//via=host//id=sub")
				ch := remoteExec(t, sub, "channel.send(channel.receive())")
				require.NoError(t, ch.Send(t.Context(), 1))
				receive(t, ch)
				sub.Exit()
				_ = sub.Join(within.Soon(t)) // its error is how the far end ended
			},
			"via, killed": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
				sub := makeGateway(t, group, popen+"//via=host//id=sub")
				require.NoError(t, sub.Kill())
				_ = sub.Join(within.Soon(t)) // its error is how the far end ended
			},
			"via, still there": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
				receive(t, remoteExec(t, makeGateway(t, group, popen+"//via=host//id=sub"), "channel.send(1); channel.receive()"))
			},
			"via, dead": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
				sub := makeGateway(t, group, popen+"//via=host//id=sub")
				_ = remoteExec(t, sub, "import os; os._exit(3)").WaitClose(within.Soon(t))
				_ = sub.Join(within.Soon(t)) // its error is how the far end ended
			},
			"via, no interpreter": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
				for _, spec := range []string{"popen//via=host//python=/no/such/python", "popen//via=host//python=false"} {
					_, err := group.MakeGateway(within.Soon(t), spec)
					require.Error(t, err)
				}
			},
			"installvia": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
				sub := makeGateway(t, group, "socket//installvia=host//id=sub")
				receive(t, remoteExec(t, sub, "channel.send(1)"))
				sub.Exit()
				_ = sub.Join(within.Soon(t)) // its error is how the far end ended
			},
			"via a socket": func(t *testing.T, group *execnet.Group, _ *execnet.Gateway) {
				_, err := group.MakeGateway(within.Soon(t), "socket=127.0.0.1:1//via=host")
				require.Error(t, err)
			},
			"rsync": func(t *testing.T, _ *execnet.Group, host *execnet.Gateway) {
				source, target := t.TempDir(), filepath.Join(t.TempDir(), "target")
				for _, content := range []string{"old", "new"} {
					require.NoError(t, os.WriteFile(filepath.Join(source, "file"), []byte(content), 0o600))
					require.NoError(t, os.WriteFile(filepath.Join(source, "large"), append(make([]byte, 3<<20), content...), 0o600))
					sync := rsync.New(source)
					require.NoError(t, sync.AddTarget(host, target, rsync.TargetOptions{Delete: true}))
					require.NoError(t, sync.Send(within.Soon(t)))
				}
			},
		} {
			t.Run(python.Version()+"/"+name, func(t *testing.T) {
				stderr := new(textbuffer.Buffer)
				group := newGroup(t, stderr)
				host := makeGateway(t, group, popen+"//id=host")
				do(t, group, host)
				remoteExec(t, host, "import gc; gc.collect()")
				require.NoError(t, group.Terminate(within.Time(t, 10*time.Second)))
				assert.NotContains(t, stderr.String(), "Warning")
				assert.NotContains(t, stderr.String(), "Exception ignored")
			})
		}
	}
}
