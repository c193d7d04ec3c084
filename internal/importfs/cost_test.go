package importfs_test

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/importfs"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// fifty makes a package of 50 modules. body returns the source of one, after a line that counts it.
func fifty(initial string, body func(i int) string) map[string]string {
	content := map[string]string{"fifty/__init__.py": "COUNT = []\n" + initial}
	for i := range 50 {
		content[module(i)] = "from fifty import COUNT\nCOUNT.append(__name__)\n" + body(i)
	}
	return content
}

// module is the file of a module: half of them lie in subpackages.
func module(i int) string {
	if i%2 == 0 {
		return fmt.Sprintf("fifty/m%d.py", i)
	}
	return fmt.Sprintf("fifty/sub%d/__init__.py", i)
}

func dotted(i int) string {
	return strings.ReplaceAll(strings.TrimSuffix(strings.TrimSuffix(module(i), ".py"), "/__init__"), "/", ".")
}

// all is a source that imports all modules in some way.
func all(line func(name string) string) (source string) {
	for i := range 50 {
		source += line(dotted(i)) + "\n"
	}
	return source
}

// TestQuestions counts how often a far end waits for the driver while it imports a package of 50
// modules.
func TestQuestions(t *testing.T) {
	none := func(int) string { return "" }
	next := func(i int) string {
		if i == 49 {
			return ""
		}
		return "import " + dotted(i+1) + "\n"
	}
	dynamic := all(func(name string) string { return "importlib.import_module('" + name + "'[:])" })
	for name, test := range map[string]struct {
		content map[string]string
		program string
		most    int64
	}{
		"all in the package":     {fifty(all(func(name string) string { return "import " + name }), none), "import fifty", 1},
		"relative":               {fifty(all(func(name string) string { return "from " + strings.TrimPrefix(name, "fifty") + " import COUNT" }), none), "import fifty", 1},
		"each imports the next":  {fifty("", next), "import fifty.m0", 2},
		"in functions":           {fifty("def load():\n"+all(func(name string) string { return "    import " + name })+"load()\n", none), "import fifty", 1},
		"all by the program":     {fifty("", none), all(func(name string) string { return "import " + name }), 3},
		"plugins by their names": {fifty("import importlib\n"+strings.ReplaceAll(dynamic, "[:]", ""), none), "import fifty", 1},
		"names that are made":    {fifty("import importlib\n"+dynamic, none), "import fifty", 3},
	} {
		t.Run(name, func(t *testing.T) {
			gw := imports(t, pythons.Default(t), test.content)
			assert.Equal(t, []any{int64(50)}, run(t, gw, test.program+"\nimport fifty\nchannel.send(len(fifty.COUNT))"))
			assert.LessOrEqual(t, asked(t, gw), test.most)
			run(t, gw, "import json, re, sys\ntry:\n    import nothing_there\nexcept ImportError:\n    pass")
			assert.LessOrEqual(t, asked(t, gw), test.most, "the far end's own modules cost nothing")
		})
	}
}

// TestSlowLink imports 50 modules over a connection on which each byte takes 50 ms.
func TestSlowLink(t *testing.T) {
	server := sshdtest.Start(t)
	relay := sshdtest.NewRelay(t, server.Addr)
	relay.SetDelay(50 * time.Millisecond)
	filler := make([]byte, 300)
	_, _ = rand.Read(filler)
	padding := strings.Repeat(fmt.Sprintf("# %x\n", filler), 20)
	content := fifty("from . import m0\n", func(i int) string {
		if i == 49 {
			return padding
		}
		return "import " + dotted(i+1) + "\n" + padding
	})
	size := 0
	for _, text := range content {
		size += len(text)
	}
	gw := gateway(t, strings.Replace(server.Spec(), "ssh=", "ssh=-o HostKeyAlias=[127.0.0.1]:"+server.Port+" -p "+relay.Port+" ", 1)+"//python="+pythons.Default(t).Path)
	require.NoError(t, importfs.Install(within.Soon(t), gw, files(content)))
	before := gw.Stats().BytesSent
	assert.Equal(t, []any{int64(50)}, run(t, gw, "import fifty\nchannel.send(len(fifty.COUNT))"))
	assert.Less(t, gw.Stats().BytesSent-before, int64(size/10), "it travels compressed")
	assert.EqualValues(t, 1, asked(t, gw))
}

// damaged is an fs.FS in which some files cannot be read.
type damaged struct{ fs.FS }

func (d damaged) Open(name string) (fs.File, error) {
	file, err := d.FS.Open(name)
	switch {
	case err != nil:
		return nil, err
	case strings.HasSuffix(name, "locked.py"):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	case strings.HasSuffix(name, "panics.py"):
		panic("a faulty fs.FS")
	case strings.HasSuffix(name, "endless.py"):
		return endless{file}, nil
	}
	return file, nil
}

// endless is a file without an end.
type endless struct{ fs.File }

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// TestUnreadable: what the driver cannot read is an ImportError that says why, and the far end goes
// on.
func TestUnreadable(t *testing.T) {
	each(t, func(t *testing.T, python pythons.Interpreter) {
		gw := gateway(t, python.Spec())
		require.NoError(t, importfs.Install(within.Soon(t), gw, damaged{files(map[string]string{
			"pkg/__init__.py": "", "pkg/locked.py": "", "pkg/endless.py": "", "pkg/panics.py": "", "pkg/mod.py": "import pkg.locked", "pkg/good.py": "x = 1",
		})}))
		items := run(t, gw, `
			for name in "locked", "endless", "mod", "panics", "good":
				try:
					channel.send(__import__("pkg." + name, None, None, ["x"]).x)
				except ImportError as error:
					channel.send(str(error))
		`)
		require.Len(t, items, 5)
		assert.Contains(t, items[0], "cannot import pkg.locked: [Errno 5] the driver cannot read it: open pkg/locked.py: permission denied")
		assert.Contains(t, items[1], "pkg/endless.py has more than 67108864 bytes")
		assert.Contains(t, items[2], "cannot import pkg.locked:")
		assert.Contains(t, items[3], "panic in the fs.FS: a faulty fs.FS")
		assert.EqualValues(t, 1, items[4])
	})
}

// TestBounds: neither a long question nor a question for something else gets an answer that is a
// file.
func TestBounds(t *testing.T) {
	fsys := files(map[string]string{"pkg/__init__.py": "", "pkg/mod.py": "x = 1\n"})
	gw := gateway(t, pythons.Default(t).Spec())
	require.NoError(t, importfs.Install(within.Soon(t), gw, fsys))
	items := run(t, gw, `
		import sys
		control = [f.tree for f in sys.meta_path if hasattr(f, "tree")][0].controls[0]
		def ask(*question):
			reply = channel.gateway.newchannel()
			control.send((reply,) + question)
			return reply.receive()
		control.send(1)
		control.send((1, 2, 3))
		for name in "pkg/mod.py", "../etc/passwd", "/etc/passwd", "pkg/../pkg/mod.py", "", ".", "x" * 5000, "pkg":
			missing, problem, folders, found, compressed, content = ask("data", name)
			channel.send((missing, bool(problem), content))
		channel.send(ask("strange", "pkg/mod.py")[1])
		channel.send(ask("data", 1)[1])
		channel.send(ask()[1])
		channel.send(ask("folder", "../..")[0])
	`)
	var answers []string
	for _, item := range items {
		answers = append(answers, fmt.Sprint(item))
	}
	assert.Equal(t, []string{"(False, False, b'x = 1\\n')", "(True, False, b'')", "(True, False, b'')", "(True, False, b'')", "(True, False, b'')",
		"(True, False, b'')", "(True, False, b'')", "(True, False, b'')", "there is no question \"strange\"",
		"there is no question ('data', 1)", "a question of 1 parts is none", "true"}, answers)
	assert.True(t, gw.HasReceiver())
}
