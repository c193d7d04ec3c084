package embedded

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// wheelOf is a wheel with files by name.
func wheelOf(t *testing.T, files map[string]string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range files {
		to, err := w.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(to, content)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return &fstest.MapFile{Data: b.Bytes()}
}

// setSite has this test's starts use these packages.
func setSite(t *testing.T, all ...fs.FS) {
	t.Helper()
	before := sites.all
	t.Cleanup(func() { sites.all = before })
	sites.all = nil
	for _, packages := range all {
		Site(packages)
	}
}

func TestSite(t *testing.T) {
	setSite(t,
		fstest.MapFS{"wheels/greet-1.0-py3-none-any.whl": wheelOf(t, map[string]string{
			"greet/__init__.py":                     "from .words import hello",
			"greet/words.py":                        "hello = 'hello'",
			"greet-1.0.dist-info/METADATA":          "Metadata-Version: 2.1\nName: greet\nVersion: 1.0\n",
			"greet-1.0.data/scripts/greet":          "#!python\nimport greet; print(greet.hello)\n",
			"greet-1.0.data/data/share/greet/x.txt": "x",
		})},
		fstest.MapFS{"own.py": {Data: []byte("world = 'world'")}, "package/data.txt": {Data: []byte("text")}},
	)
	source := `
import greet, own, sys, subprocess, importlib.metadata, os
there = subprocess.check_output([sys.executable, "-c", "import greet, own, sys; sys.stdout.write(greet.hello + own.world)"])
script = os.path.join(os.path.dirname(sys.executable), "greet")
channel.send((greet.hello, own.world, there, importlib.metadata.version("greet"), os.access(script, os.X_OK),
              open(os.path.join(sys.prefix, "share", "greet", "x.txt")).read(), sys.prefix != sys.base_prefix,
              sys.platform == "win32" or subprocess.check_output([script]), sys.prefix))`
	said := run(t, "popen//python=embedded", source).(interface{ String() string }).String()
	if runtime.GOOS != "windows" {
		assert.Contains(t, said, "('hello', 'world', b'helloworld', '1.0', True, 'x', True, b'hello\\n', ")
	}

	python, err := interpreter()
	require.NoError(t, err)
	again, err := interpreter()
	require.NoError(t, err)
	assert.Equal(t, python, again)
	setSite(t, fstest.MapFS{"own.py": {Data: []byte("world = 'another'")}})
	other, err := interpreter()
	require.NoError(t, err)
	assert.NotEqual(t, python, other)
	assert.Equal(t, "another", run(t, "popen//python=embedded", "import own; channel.send(own.world)"))
	setSite(t)
	none, err := interpreter()
	require.NoError(t, err)
	assert.Equal(t, "python", filepath.Base(filepath.Dir(filepath.Dir(none)))[:6])
}

func TestSitesThatCannotBeUsed(t *testing.T) {
	empty := func() *fstest.MapFile { return wheelOf(t, map[string]string{"p.py": ""}) }
	for problem, all := range map[string][]fs.FS{
		"p-1-cp27-none-any.whl is not for CPython 3.14":       {fstest.MapFS{"p-1-cp27-none-any.whl": empty()}},
		"../p.py in p-1-py3-none-any.whl: the name leads out": {fstest.MapFS{"p-1-py3-none-any.whl": wheelOf(t, map[string]string{"../p.py": ""})}},
		"p.py in q-1-py3-none-any.whl: ":                      {fstest.MapFS{"p-1-py3-none-any.whl": empty(), "q-1-py3-none-any.whl": empty()}},
		"p.whl: zip: not a valid zip file":                    {fstest.MapFS{"p.whl": {Data: []byte("x")}}},
		"no such file or directory":                           {os.DirFS(filepath.Join(t.TempDir(), "missing"))},
	} {
		setSite(t, all...)
		_, err := interpreter()
		assert.ErrorContains(t, err, "execnet: ")
		assert.ErrorContains(t, err, problem)
	}
}
