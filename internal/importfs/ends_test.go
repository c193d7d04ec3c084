package importfs_test

import (
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/go-execnet/execnet/cpython" // engines of the Go worker that this program can be
	_ "github.com/go-execnet/execnet/gpython"
	"github.com/go-execnet/execnet/internal/importfs"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestDriverIsGone: a worker whose driver has ended does not wait for it.
func TestDriverIsGone(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := imports(t, python, map[string]string{"early.py": "", "deep/__init__.py": "", "deep/late.py": "", "pkg/__init__.py": "", "pkg/mod.py": "import pkg.two", "pkg/two.py": ""})
		file := t.TempDir() + "/said"
		ch, err := gw.RemoteExec(within.Soon(t), `
			import early, deep, sys, os
			import pkg.mod
			del sys.modules["pkg.two"]
			name = channel.receive()
			channel.send("ready")
			said = []
			try:
				channel.receive()
			except EOFError:
				said.append("end")
			import pkg.two  # it is known here
			try:
				import deep.late
			except ImportError as error:
				said.append(str(error))
			with open(name + ".part", "w") as f:
				f.write("\n".join(said))
			os.rename(name + ".part", name)
		`)
		require.NoError(t, err)
		require.NoError(t, ch.Send(within.Soon(t), file))
		_, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		gw.Exit()
		require.NoError(t, gw.Join(within.Soon(t)))
		require.Eventually(t, func() bool { return fileHas(file) != "" }, 20*time.Second, 20*time.Millisecond)
		assert.True(t, strings.HasPrefix(fileHas(file), "end\ncannot import deep.late: the driver, which has the file, is gone"), fileHas(file))
	})
}

// gated is an fs.FS in which opening a file waits until the gate is open.
type gated struct {
	fs.FS
	name    string
	reached chan struct{} // gets a value when somebody waits
	gate    chan struct{}
}

func (g gated) Open(name string) (fs.File, error) {
	if name == g.name {
		g.reached <- struct{}{}
		<-g.gate
	}
	return g.FS.Open(name)
}

// TestInterrupted: an import that is interrupted while it waits for the driver can be tried again,
// and gets its own answer.
func TestInterrupted(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := gateway(t, python.Spec())
		fsys := gated{files(map[string]string{"pkg/__init__.py": "", "pkg/slow.py": "x = 'slow'\n", "pkg/other.py": "x = 'other'\n"}),
			"pkg/slow.py", make(chan struct{}, 10), make(chan struct{})}
		require.NoError(t, importfs.Install(within.Soon(t), gw, fsys))
		ch, err := gw.RemoteExec(within.Soon(t), `
			import pkg
			try:
				import pkg.slow
			except KeyboardInterrupt:
				channel.send("interrupted")
			import pkg.other
			channel.send(pkg.other.x)
			import pkg.slow
			channel.send(pkg.slow.x)
		`)
		require.NoError(t, err)
		<-fsys.reached
		require.NoError(t, ch.Interrupt(within.Soon(t)))
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, "interrupted", item)
		close(fsys.gate)
		for _, want := range []string{"other", "slow"} {
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, want, item)
		}
	})
}
