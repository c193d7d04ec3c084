package compat_tests

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

// TestModulesInTheUsersFolder runs the programs that this module sends in a folder whose files have
// the names of modules of the standard library that they need.
func TestModulesInTheUsersFolder(t *testing.T) {
	independent(t)
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			folder, source := t.TempDir(), t.TempDir()
			for _, name := range []string{"struct", "hashlib", "shlex", "select", "selectors", "signal", "subprocess", "socket", "enum", "token"} {
				require.NoError(t, os.WriteFile(filepath.Join(folder, name+".py"), []byte("mine = 1\n"), 0o600))
			}
			group := newGroup(t, testLog{t})
			gw := makeGateway(t, group, python.Spec()+"//id=at//chdir="+folder)
			sub := makeGateway(t, group, "popen//via=at//python="+python.Path)
			ch, err := sub.RemoteExec(t.Context(), "channel.send(1)")
			require.NoError(t, err)
			assert.EqualValues(t, 1, receive(t, ch))

			path := filepath.Join(source, "file")
			require.NoError(t, os.WriteFile(path, make([]byte, 300<<10), 0o600))
			dest := filepath.Join(t.TempDir(), "dest")
			for _, content := range []byte("ab") { // the second time only what has changed travels
				data, err := os.ReadFile(path)
				require.NoError(t, err)
				data[0] = content
				require.NoError(t, os.WriteFile(path, data, 0o600))
				r := &rsync.RSync{Source: source, Delta: rsync.DeltaAlways}
				r.AddTarget(gw, dest, rsync.TargetOptions{})
				require.NoError(t, r.Send(within.Soon(t)))
				got, err := os.ReadFile(filepath.Join(dest, "file"))
				require.NoError(t, err)
				assert.Equal(t, data, got)
			}
		})
	}
}
