package importfs_test

import (
	"io"
	"os"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	_ "github.com/go-execnet/execnet/cpython" // engines of the Go worker that this program can be
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	_ "github.com/go-execnet/execnet/gpython"
	"github.com/go-execnet/execnet/internal/importfs"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/worker"
)

// TestMain can make this program a Go worker.
func TestMain(m *testing.M) {
	worker.ServeIfWorker()
	goleak.VerifyTestMain(m)
}

// files makes an fs.FS of names and contents.
func files(content map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range content {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

// newGroup returns a group that is terminated when the test ends.
func newGroup(t *testing.T) *multi.Group {
	t.Helper()
	g := multi.NewGroup()
	g.Stderr = t.Output()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	return g
}

func gateway(t *testing.T, spec string) *gatewaybase.Gateway {
	t.Helper()
	gw, err := newGroup(t).MakeGateway(within.Soon(t), spec)
	require.NoError(t, err)
	return gw
}

// run executes a source and returns all that it sends.
func run(t *testing.T, gw *gatewaybase.Gateway, source string) (items []any) {
	t.Helper()
	ch, err := gw.RemoteExec(within.Soon(t), source)
	require.NoError(t, err)
	for {
		item, err := ch.Receive(within.Soon(t))
		if err == io.EOF {
			return items
		}
		require.NoError(t, err)
		items = append(items, item)
	}
}

// asked returns how many questions the far end has asked so far.
func asked(t *testing.T, gw *gatewaybase.Gateway) int64 {
	t.Helper()
	return run(t, gw, `
		import sys
		channel.send(sum(f.tree.asked for f in sys.meta_path if hasattr(f, "tree")))
	`)[0].(int64)
}

// fileHas returns the content of a file, "" if there is none.
func fileHas(name string) string {
	data, _ := os.ReadFile(name)
	return string(data)
}

// each runs a test with every Python.
func each(t *testing.T, test func(t *testing.T, python pythons.Interpreter)) {
	t.Helper()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) { test(t, python) })
	}
}

// imports makes a gateway of this Python to which fsys is given.
func imports(t *testing.T, python pythons.Interpreter, content map[string]string) *gatewaybase.Gateway {
	t.Helper()
	gw := gateway(t, python.Spec())
	require.NoError(t, importfs.Install(within.Soon(t), gw, files(content)))
	return gw
}

// library is a package with everything that depends on the road or on the model of execution.
var library = map[string]string{
	"pkg/__init__.py":  "from . import one\n",
	"pkg/one.py":       "from pkg.sub import two\nvalue = two.value\ndef shout(text): return text.upper()\n",
	"pkg/sub/two.py":   "value = 'reached'\n",
	"pkg/dynamic.py":   "value = 'asked for'\n",
	"pkg/callback.py":  "value = 'in a callback'\n",
	"pkg/data/big.bin": string(make([]byte, 300_000)),
}

// requireImports imports the library in all ways.
func requireImports(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	assert.Equal(t, []any{"reached", "asked for", int64(300_000)}, run(t, gw, `
		import pkg, importlib, pkgutil
		channel.send(pkg.one.value)
		channel.send(importlib.import_module("pkg." + "dynamic").value)
		channel.send(len(pkgutil.get_data("pkg", "data/big.bin")))
	`))
}

func TestPackages(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := imports(t, python, map[string]string{
			"single.py":             "NAME = __name__\nFILE = __file__\nPACKAGE = __package__\n",
			"pkg/__init__.py":       "from .inner.deep import value\nfrom . import sibling\nPATH = list(__path__)\n",
			"pkg/sibling.py":        "from .inner import deep\nfrom pkg.inner.deep import value as v\n",
			"pkg/inner/__init__.py": "",
			"pkg/inner/deep.py":     "from .. import __name__ as parent\nvalue = 42\n",
			"pkg/notes.txt":         "none",
			"not-a-name.py":         "",
		})
		assert.Equal(t, []any{"single", "<driver>/single.py", ""}, run(t, gw, `
			import single
			channel.send(single.NAME); channel.send(single.FILE); channel.send(single.PACKAGE)
		`))
		assert.Equal(t, []any{int64(42), int64(42), "pkg", []any{"<driver>/pkg"}, "pkg.inner.deep"}, run(t, gw, `
			import pkg
			channel.send(pkg.value); channel.send(pkg.sibling.v); channel.send(pkg.sibling.deep.parent); channel.send(pkg.PATH)
			import pkg.inner.deep
			channel.send(pkg.inner.deep.__name__)
		`))
		assert.Equal(t, []any{"ImportError", "ImportError"}, run(t, gw, `
			for name in "pkg.nothing", "nothing_at_all":
				try:
					__import__(name)
				except ImportError:
					channel.send("ImportError")
		`))
		assert.Equal(t, int64(2), asked(t, gw))
		require.Eventually(t, func() bool { // a Go worker counts an execution out when it has ended
			status, err := gw.RemoteStatus(within.Soon(t))
			return assert.NoError(t, err) && status.NumExecuting == 0
		}, time.Minute, time.Millisecond)
	})
}

func TestNamespacePackages(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := imports(t, python, map[string]string{
			"space/part/mod.py":   "NAME = __name__\n",
			"space/one.py":        "ONE = 1\n",
			"space/part/data.txt": "text",
			"regular/mod.py":      "raise ImportError('the far end has a regular package of this name')\n",
		})
		// The far end has a part of the same namespace, and a package that comes before a folder.
		run(t, gw, `
			import os, sys, tempfile
			folder = tempfile.mkdtemp()
			for name in "space/two.py", "regular/__init__.py", "regular/mod.py":
				name = os.path.join(folder, name)
				if not os.path.isdir(os.path.dirname(name)):
					os.makedirs(os.path.dirname(name))
				with open(name, "w") as f:
					f.write("TWO = 2\n")
			sys.path.append(folder)
		`)
		assert.Equal(t, []any{"space.part.mod", int64(1), int64(2)}, run(t, gw, `
			import space.part.mod, space.one
			channel.send(space.part.mod.NAME)
			channel.send(space.one.ONE)
			import regular.mod
			channel.send(regular.mod.TWO)
		`))
		if python.Major == 3 {
			assert.Equal(t, []any{int64(2)}, run(t, gw, "import space.two\nchannel.send(space.two.TWO)"))
		}
		if python.AtLeast(3, 10) {
			assert.Equal(t, []any{"text"}, run(t, gw, "import importlib.resources\nchannel.send(importlib.resources.files('space.part').joinpath('data.txt').read_text())"))
		}
	})
}

// TestWhoseModule: names that both have are the driver's, but those of the standard library and
// what has been imported already are not.
func TestWhoseModule(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := gateway(t, python.Spec())
		run(t, gw, `
			import os, sys, tempfile
			folder = tempfile.mkdtemp()
			for name in "both", "theirs", "imported":
				with open(os.path.join(folder, name + ".py"), "w") as f:
					f.write("WHOSE = 'far end'\n")
			sys.path.insert(0, folder)
			import imported
		`)
		require.NoError(t, importfs.Install(within.Soon(t), gw, files(map[string]string{
			"both.py": "WHOSE = 'driver'\n", "imported.py": "WHOSE = 'driver'\n", "json.py": "1/0\n", "sys.py": "1/0\n", "math.py": "1/0\n",
			"decimal/__init__.py": "1/0\n", "wave/mod.py": "1/0\n", "test/__init__.py": "WHOSE = 'driver'\n", "__main__.py": "1/0\n",
			"pkg/__init__.py": "", "pkg/__main__.py": "channel_sent = __name__\n", "pkg/json.py": "WHOSE = 'driver'\n",
		})))
		assert.Equal(t, []any{"driver", "far end", "far end", "driver", "driver", true}, run(t, gw, `
			import both, theirs, imported, test, pkg.json, json, decimal, wave, math, sys
			channel.send(both.WHOSE)
			channel.send(theirs.WHOSE)
			channel.send(imported.WHOSE)
			channel.send(test.WHOSE)
			channel.send(pkg.json.WHOSE)
			import __main__
			channel.send("driver" not in str(getattr(__main__, "__file__", "")))
		`))
		assert.Equal(t, []any{"__main__"}, run(t, gw, `
			import runpy
			channel.send(runpy.run_module("pkg", run_name="__main__")["channel_sent"])
		`))
	})
}

func TestTracebacksAndSources(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := imports(t, python, map[string]string{
			"pkg/__init__.py": "",
			"pkg/fails.py":    "# -*- coding: latin-1 -*-\r\ndef fail(n):\r\n    return 1 // n  # caf\xe9\r\n",
			"pkg/bad.py":      "x = 1\ny = = 2\n",
			"pkg/raises.py":   "\n\nraise KeyError('at import')\n",
			"pkg/bom.py":      "\ufeffNAME = u'\u00e9'\n",
			"pkg/utf8.py":     "# coding: utf-8\nNAME = u'\u00e9'\n",
		})
		fails := func(source string) string {
			ch, err := gw.RemoteExec(within.Soon(t), source)
			require.NoError(t, err)
			var raised *gatewaybase.RemoteError
			require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &raised)
			return raised.Formatted
		}
		text := fails("import pkg.fails\npkg.fails.fail(0)")
		assert.Contains(t, text, "File \"<driver>/pkg/fails.py\", line 3, in fail\n    return 1 // n  # caf")
		text = fails("import pkg.bad")
		assert.Contains(t, text, "File \"<driver>/pkg/bad.py\", line 2\n    y = = 2\n")
		assert.Contains(t, text, "SyntaxError")
		assert.Equal(t, []any{false}, run(t, gw, "import sys\nchannel.send('pkg.bad' in sys.modules)"))
		text = fails("import pkg.raises")
		assert.Contains(t, text, "File \"<driver>/pkg/raises.py\", line 3, in <module>\n    raise KeyError('at import')\n")
		if python.Major == 3 {
			assert.NotContains(t, text, "importfs.py")
		}
		assert.Equal(t, []any{"\u00e9", "\u00e9"}, run(t, gw, "import pkg.bom, pkg.utf8\nchannel.send(pkg.bom.NAME); channel.send(pkg.utf8.NAME)"))
		source := run(t, gw, `
			import inspect, pkg.fails
			channel.send(inspect.getsource(pkg.fails.fail) if str is not bytes else inspect.getsource(pkg.fails.fail).decode("latin-1"))
			channel.send(inspect.getsourcefile(pkg.fails))
			import pkgutil
			channel.send(sorted(name for _, name, _ in pkgutil.iter_modules(pkg.__path__)))
			channel.send(sorted(name for _, name, _ in pkgutil.walk_packages(pkg.__path__, "pkg."))[:1])
		`)
		assert.Equal(t, []any{"def fail(n):\n    return 1 // n  # caf\u00e9\n", "<driver>/pkg/fails.py",
			[]any{"bad", "bom", "fails", "raises", "utf8"}, []any{"pkg.bad"}}, source)
	})
}

func TestDataFiles(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := imports(t, python, map[string]string{
			"pkg/__init__.py":        "",
			"pkg/mod.py":             "",
			"pkg/data.bin":           "\x00\xff",
			"pkg/text.txt":           "line\r\n\u00e9\n",
			"pkg/templates/page.txt": "page",
			"secret.txt":             "beside packages",
		})
		assert.Equal(t, []any{[]byte("\x00\xff"), []byte("page"), true, true}, run(t, gw, `
			import pkgutil
			channel.send(bytearray(pkgutil.get_data("pkg", "data.bin")))
			channel.send(bytearray(pkgutil.get_data("pkg.mod", "templates/page.txt")))
			for name in "nothing.txt", "../../../../etc/passwd":
				try:
					pkgutil.get_data("pkg", name)
				except IOError as error:
					channel.send(error.errno == 2)
		`))
		if python.AtLeast(3, 7) && !python.AtLeast(3, 13) {
			assert.Equal(t, []any{"line\n\u00e9\n", []byte("\x00\xff"), []any{"__init__.py", "data.bin", "mod.py", "templates", "text.txt"}, true, false}, run(t, gw, `
				import importlib.resources as r
				channel.send(r.open_text("pkg", "text.txt").read())
				channel.send(r.read_binary("pkg", "data.bin"))
				channel.send(sorted(r.contents("pkg")))
				channel.send(r.is_resource("pkg", "text.txt"))
				channel.send(r.is_resource("pkg", "templates"))
			`))
		}
		if python.AtLeast(3, 7) {
			assert.Equal(t, []any{[]byte("\x00\xff"), "FileNotFoundError"}, run(t, gw, `
				import importlib.resources as r
				with r.path("pkg", "data.bin") as path:
					channel.send(path.read_bytes())
				try:
					r.open_binary("pkg", "nothing")
				except FileNotFoundError:
					channel.send("FileNotFoundError")
			`))
		}
		if python.AtLeast(3, 9) {
			assert.Equal(t, []any{"line\n\u00e9\n", "page", []any{"page.txt"}, true, false, "nothing", "FileNotFoundError", "page"}, run(t, gw, `
				import importlib.resources as r
				files = r.files("pkg")
				channel.send(files.joinpath("text.txt").read_text(encoding="utf-8"))
				channel.send((files / "templates" / "page.txt").read_text())
				channel.send([file.name for file in files.joinpath("templates").iterdir()])
				channel.send(files.is_dir())
				channel.send(files.joinpath("nothing").is_file())
				channel.send(files.joinpath("nothing").name)
				try:
					files.joinpath("nothing").read_bytes()
				except FileNotFoundError:
					channel.send("FileNotFoundError")
				with r.as_file(files / "templates/page.txt") as path:
					channel.send(path.read_text())
			`))
		}
	})
}

func TestReload(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		fsys := files(map[string]string{"pkg/__init__.py": "", "pkg/mod.py": "def f(): return 1\n"})
		gw := gateway(t, python.Spec())
		require.NoError(t, importfs.Install(within.Soon(t), gw, fsys))
		assert.Equal(t, []any{int64(1)}, run(t, gw, "import pkg.mod\nchannel.send(pkg.mod.f())"))
		again := `
			try:
				from importlib import reload
			except ImportError:
				pass
			import inspect, pkg.mod
			inspect.getsource(pkg.mod)
			before = pkg.mod
			channel.send(reload(pkg.mod) is before)
			channel.send(pkg.mod.f())
			channel.send(inspect.getsource(pkg.mod.f))
		`
		assert.Equal(t, []any{true, int64(1), "def f(): return 1\n"}, run(t, gw, again))
		fsys["pkg/mod.py"] = &fstest.MapFile{Data: []byte("# new\ndef f(): return 2\n")}
		assert.Equal(t, []any{true, int64(2), "def f(): return 2\n"}, run(t, gw, again))
		delete(fsys, "pkg/mod.py")
		assert.Equal(t, []any{true, int64(2)}, run(t, gw, `
			try:
				from importlib import reload
			except ImportError:
				pass
			import pkg.mod
			try:
				reload(pkg.mod)
			except ImportError as error:
				channel.send("cannot import pkg.mod: [Errno 2]" in str(error))
			channel.send(pkg.mod.f())
		`))
		fsys["pkg/added.py"] = &fstest.MapFile{Data: []byte("")}
		assert.Equal(t, []any{"not yet"}, run(t, gw, `
			try:
				import pkg.added
			except ImportError:
				channel.send("not yet")
			import sys
			for finder in sys.meta_path:
				getattr(finder, "invalidate_caches", lambda: None)()
			import pkg.added
		`))
	})
}

func TestCircularPicklesAndThreads(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		content := map[string]string{
			"ring/__init__.py": "",
			"ring/a.py":        "from ring import b\nclass A(object):\n    x = 1\n",
			"ring/b.py":        "import ring.a\ndef make(): return ring.a.A()\n",
			"many/__init__.py": "COUNT = []\n",
		}
		for i := range 20 {
			content["many/m"+string(rune('a'+i))+".py"] = "import many\nmany.COUNT.append(__name__)\n"
		}
		gw := imports(t, python, content)
		assert.Equal(t, []any{int64(1), "ring.a"}, run(t, gw, `
			import pickle, ring.a
			thing = pickle.loads(pickle.dumps(ring.b.make(), 2))
			channel.send(thing.x)
			channel.send(type(thing).__module__)
		`))
		assert.Equal(t, []any{int64(20), []any{}}, run(t, gw, `
			import threading
			problems = []
			def work(n):
				try:
					for i in range(20):
						__import__("many.m" + "abcdefghijklmnopqrst"[(i * 7 + n) % 20])
				except BaseException as error:
					problems.append(repr(error))
			threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
			for thread in threads: thread.start()
			for thread in threads: thread.join()
			import many
			channel.send(len(many.COUNT))
			channel.send(problems)
		`))
		// Executions side by side: one in the worker's main thread, the others in threads of their
		// own.
		var channels []*gatewaybase.Channel
		for range 4 {
			ch, err := gw.RemoteExec(within.Soon(t), "channel.receive()\nimport ring.b\nchannel.send(ring.b.make().x)")
			require.NoError(t, err)
			channels = append(channels, ch)
		}
		for _, ch := range channels {
			require.NoError(t, ch.Send(within.Soon(t), 1))
		}
		for _, ch := range channels {
			item, err := ch.Receive(within.Soon(t))
			require.NoError(t, err)
			assert.EqualValues(t, 1, item)
		}
	})
}
