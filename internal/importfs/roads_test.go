//go:build unix

package importfs_test

import (
	"bufio"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/importfs"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestRoads(t *testing.T) {
	python := pythons.Default(t)
	server := sshdtest.Start(t)
	for _, road := range []struct{ name, host, spec string }{
		{"ssh", "", server.Spec() + "//python=" + python.Path},
		{"via", python.Spec() + "//id=host", python.Spec() + "//via=host"},
		{"ssh via", server.Spec() + "//id=host//python=" + python.Path, python.Spec() + "//via=host"},
		{"socket", python.Spec() + "//id=host", "socket//installvia=host"},
		{"main thread only", "", python.Spec() + "//execmodel=main_thread_only"},
		{"import", "", "popen//bootstrap=import//python=" + pythons.WithExecnet(t)},
		{"import, main thread only", "", "popen//bootstrap=import//execmodel=main_thread_only//python=" + pythons.WithExecnet(t)},
	} {
		t.Run(road.name, func(t *testing.T) {
			g := newGroup(t)
			require.NoError(t, g.ImportFS(within.Soon(t), files(map[string]string{"other.py": ""})))
			if road.host != "" {
				_, err := g.MakeGateway(within.Soon(t), road.host)
				require.NoError(t, err)
			}
			gw, err := g.MakeGateway(within.Soon(t), road.spec)
			require.NoError(t, err)
			require.NoError(t, g.ImportFS(within.Soon(t), files(library)))
			for gw := range g.All() {
				requireImports(t, gw)
			}
			lazy, err := g.StartGateway(within.Soon(t), python.Spec())
			require.NoError(t, err)
			requireImports(t, lazy)
			assert.True(t, g.Contains(gw))
		})
	}
}

// TestInCallbacks: a callback may import, and where it could only wait for ever it fails.
func TestInCallbacks(t *testing.T) {
	const refused = "cannot import pkg: a callback cannot wait for the driver's files here; import it before"
	for name, test := range map[string]struct{ spec, early, late string }{
		"ours": {pythons.Default(t).Spec(), refused, "in a callback"},
		"pip":  {"popen//bootstrap=import//python=" + pythons.WithExecnet(t), refused, refused},
	} {
		for _, early := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s %v", name, early), func(t *testing.T) {
				gw := gateway(t, test.spec)
				require.NoError(t, importfs.Install(within.Soon(t), gw, files(library)))
				ch, err := gw.RemoteExec(within.Soon(t), `
					import threading
					early = channel.receive()
					done = threading.Event()
					result = []
					def got(item):
						try:
							import pkg.callback
							result.append(pkg.callback.value)
						except ImportError as error:
							result.append(str(error))
						done.set()
					if early:
						import time
						while not (channel._items.qsize() if hasattr(channel._items, "qsize") else channel._items):
							time.sleep(0.01)
					channel.setcallback(got)
					channel.send("ready")
					done.wait()
					channel.send(result[0])
				`)
				require.NoError(t, err)
				require.NoError(t, ch.Send(within.Soon(t), early))
				if early {
					require.NoError(t, ch.Send(within.Soon(t), 1))
				}
				_, err = ch.Receive(within.Soon(t))
				require.NoError(t, err)
				want := test.early
				if !early {
					require.NoError(t, ch.Send(within.Soon(t), 1))
					want = test.late
				}
				item, err := ch.Receive(within.Soon(t))
				require.NoError(t, err)
				assert.Equal(t, want, item)
				requireImports(t, gw)
			})
		}
	}
}

// TestGreenlets imports from many greenlets at once: each module is executed once, and nobody gets
// half of one.
func TestGreenlets(t *testing.T) {
	for _, spec := range []string{
		"popen//execmodel=gevent", "popen//execmodel=eventlet", "popen//bootstrap=import//execmodel=eventlet",
	} {
		t.Run(spec, func(t *testing.T) {
			gw := gateway(t, spec+"//python="+pythons.WithExecnet(t))
			content := map[string]string{"many/__init__.py": "COUNT = []\n"}
			for i := range 8 {
				content[fmt.Sprintf("many/m%d.py", i)] = fmt.Sprintf(`
import many, importlib
many.COUNT.append(__name__)
if %d:
    importlib.import_module("many.m%%d" %% %d)
done = True
`, i%4, i-1)
			}
			require.NoError(t, importfs.Install(within.Soon(t), gw, files(content)))
			requireTogether(t, gw)
		})
	}
}

func requireTogether(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	var channels []*gatewaybase.Channel
	for i := range 16 {
		ch, err := gw.RemoteExec(within.Soon(t), `
			import importlib
			name = "many.m%d" % (channel.receive() % 8)
			channel.send(importlib.import_module(name).done)
		`)
		require.NoError(t, err)
		require.NoError(t, ch.Send(within.Soon(t), 7*i))
		channels = append(channels, ch)
	}
	for _, ch := range channels {
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, true, item)
	}
	assert.Equal(t, []any{int64(8)}, run(t, gw, "import many\nchannel.send(len(many.COUNT))"))
}

func TestForkedChild(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := imports(t, python, library)
		assert.Equal(t, []any{"reached, cannot import pkg.dynamic: the driver, which has the file, cannot be asked: a forked child cannot use"}, run(t, gw, `
			import os, sys
			import pkg
			del sys.modules["pkg.one"]
			r, w = os.pipe()
			pid = os.fork()
			if not pid:
				import pkg.one
				try:
					import pkg.dynamic
				except ImportError as error:
					os.write(w, (pkg.one.value + ", " + str(error)).encode())
				os._exit(0)
			os.waitpid(pid, 0)
			channel.send(os.read(r, 10000).decode().split(" the channels")[0])
		`))
		requireImports(t, gw)
	})
}

// TestTwoGatewaysOfOneProcess: what one has been sent the other has, and each may end.
func TestTwoGatewaysOfOneProcess(t *testing.T) {
	g := newGroup(t)
	host, err := g.MakeGateway(within.Soon(t), pythons.Default(t).Spec()+"//id=host")
	require.NoError(t, err)
	fsys := &counting{FS: os.DirFS(writeFiles(t, library)), opened: map[string]int{}}
	require.NoError(t, importfs.Install(within.Soon(t), host, fsys))
	assert.Equal(t, []any{"reached"}, run(t, host, "import pkg\nchannel.send(pkg.one.value)"))
	second, err := g.MakeGateway(within.Soon(t), "socket//installvia=host")
	require.NoError(t, err)
	require.NoError(t, importfs.Install(within.Soon(t), second, fsys))
	require.NoError(t, importfs.Install(within.Soon(t), second, fsys))
	assert.Equal(t, []any{int64(1)}, run(t, second, `
		import sys
		channel.send(sum(1 for finder in sys.meta_path if hasattr(finder, "tree")))
		for name in list(sys.modules):
			if name.split(".")[0] == "pkg":
				sys.modules["old " + name] = sys.modules.pop(name)
	`))
	requireImports(t, second)
	assert.Equal(t, 1, fsys.opened["pkg/data/big.bin"])
	second.Exit()
	require.NoError(t, second.Join(within.Soon(t)))
	assert.Equal(t, []any{"in a callback"}, run(t, host, "import pkg.callback\nchannel.send(pkg.callback.value)"))
}

// TestNextDriverOfAProcess: in the process of a socket server another driver finds its own modules,
// not those of one that is gone.
func TestNextDriverOfAProcess(t *testing.T) {
	server := exec.Command(pythons.WithExecnet(t), "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0")
	out, err := server.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Process.Kill() // fails when it has ended by itself
		_ = server.Wait()
	})
	address := ""
	for lines := bufio.NewScanner(out); address == "" && lines.Scan(); {
		if _, place, ok := strings.Cut(lines.Text(), "Accept loop ('127.0.0.1', "); ok {
			address = "127.0.0.1:" + strings.TrimSuffix(place, ")")
		}
	}
	require.NotEmpty(t, address)
	for _, version := range []string{"first", "second"} {
		g := newGroup(t)
		gw, err := g.MakeGateway(within.Soon(t), "socket="+address)
		require.NoError(t, err)
		require.NoError(t, importfs.Install(within.Soon(t), gw, files(map[string]string{
			"own/__init__.py":            "def version():\n    return '" + version + "'\n",
			"own/" + version + "_mod.py": "",
		})))
		assert.Equal(t, []any{version, version + "_mod", "def version():\n    return '" + version + "'\n"}, run(t, gw, `
			import inspect, own, pkgutil
			channel.send(own.version())
			channel.send([name for _, name, _ in pkgutil.iter_modules(own.__path__)][0])
			channel.send(inspect.getsource(own.version))
		`))
		require.NoError(t, g.Terminate(within.Soon(t)))
	}
}

// counting counts how often files are opened.
type counting struct {
	fs.FS
	mu     sync.Mutex
	opened map[string]int
}

func (c *counting) Open(name string) (fs.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened[name]++
	return c.FS.Open(name)
}

// writeFiles writes files to a folder of the test.
func writeFiles(t *testing.T, content map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range content {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	return root
}
