//go:build unix

package compat_tests

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

// TestAfterReconfigure does everything for which a driver executes something of its own, on
// gateways with every string configuration.
func TestAfterReconfigure(t *testing.T) {
	all := pythons.All(t)
	specs := map[string]string{"go": "popen//python=" + commandPath(t) + " worker"}
	for _, python := range []pythons.Interpreter{all[0], all[len(all)-1]} {
		for _, w := range workers(t, python) {
			specs[python.Version()+" "+w.name] = w.spec()
		}
	}
	for name, spec := range specs {
		for _, config := range []execnet.StrConfig{
			{}, {Py2StrAsPy3Str: true}, {Py3StrAsPy2Str: true}, {Py2StrAsPy3Str: true, Py3StrAsPy2Str: true},
		} {
			t.Run(fmt.Sprintf("%s/%v", name, config), func(t *testing.T) {
				t.Parallel()
				group := newGroup(t, testLog{t})
				host := makeGateway(t, group, spec+"//id=host")
				require.NoError(t, host.Reconfigure(t.Context(), config))

				info, err := host.RInfo(within.Soon(t))
				require.NoError(t, err)
				assert.NotZero(t, info.PID)
				assert.NotEmpty(t, info.VersionInfo.ReleaseLevel)
				status, err := host.RemoteStatus(within.Soon(t))
				require.NoError(t, err)
				assert.Equal(t, "thread", status.ExecModel)

				for _, kill := range []bool{false, true} {
					sub := makeGateway(t, group, "popen//via=host")
					ch := remoteExec(t, sub, "for x in channel: channel.send(x)")
					require.NoError(t, ch.Send(t.Context(), 0x00c8ff80))
					assert.Equal(t, int64(0x00c8ff80), receive(t, ch))
					if kill {
						require.NoError(t, sub.Kill())
					} else {
						sub.Exit()
					}
					require.NoError(t, sub.JoinFarEnd(within.Soon(t)))
					assert.True(t, sub.ExitStatus().Known, "%+v", sub.ExitStatus())
				}

				source, target := t.TempDir(), filepath.Join(t.TempDir(), "target")
				require.NoError(t, os.WriteFile(filepath.Join(source, "é"), []byte("content"), 0o600))
				sync := rsync.New(source)
				require.NoError(t, sync.AddTarget(host, target, rsync.TargetOptions{Delete: true}))
				require.NoError(t, sync.Send(within.Soon(t)))
				assert.FileExists(t, filepath.Join(target, "é"))

				installed := makeGateway(t, group, "socket//installvia=host")
				receive(t, remoteExec(t, installed, "channel.send(1)"))
			})
		}
	}
}
