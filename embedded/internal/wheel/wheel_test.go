package wheel

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// packed is a wheel with files, each a name, a mode and a content.
func packed(t *testing.T, files ...[3]any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		header := &zip.FileHeader{Name: f[0].(string), Method: zip.Deflate}
		header.SetMode(fs.FileMode(f[1].(int)))
		if f[1] == -1 {
			header.SetMode(fs.ModeSymlink | 0o777)
		}
		to, err := w.CreateHeader(header)
		require.NoError(t, err)
		_, err = io.WriteString(to, f[2].(string))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

var somewhere = Layout{Packages: "lib/site-packages", Programs: "bin", Headers: "include", Python: "/env/bin/python3"}

// unpacked are the files of a wheel, each a line.
func unpacked(t *testing.T, content []byte) (files []string, err error) {
	t.Helper()
	w, err := Open(fstest.MapFS{"x/p-1-py3-none-any.whl": {Data: content}}, "x/p-1-py3-none-any.whl")
	require.NoError(t, err)
	defer w.Close()
	err = w.Unpack(somewhere, func(name string, mode fs.FileMode, content io.Reader) error {
		text, err := io.ReadAll(content)
		files = append(files, fmt.Sprintf("%s %o %s", name, mode, text))
		return err
	})
	return files, err
}

func TestUnpack(t *testing.T) {
	files, err := unpacked(t, packed(t,
		[3]any{"p/", 0o755, ""},
		[3]any{"p/__init__.py", 0o600, "x = 1"},
		[3]any{"p/tool", 0o775, "elf"},
		[3]any{"p.data", 0o600, "a file"},
		[3]any{"p/x.data/y", 0o600, "a folder of its own"},
		[3]any{"x.data/y", 0o600, "one, too"},
		[3]any{"p-1.data/purelib/q.py", 0, ""},
		[3]any{"p-1.data/platlib/r/s.so", 0o755, "so"},
		[3]any{"p-1.data/scripts/run", 0o644, "#!python -E\nimport p"},
		[3]any{"p-1.data/scripts/sh", 0o644, "#!/bin/sh\n"},
		[3]any{"p-1.data/scripts/none", 0o644, ""},
		[3]any{"p-1.data/headers/p.h", 0o644, "int p;"},
		[3]any{"p-1.data/data/share/p.txt", 0o644, "p"},
		[3]any{"p-1.dist-info/RECORD", 0o644, "p"},
	))
	require.NoError(t, err)
	assert.Equal(t, []string{
		"lib/site-packages/p/__init__.py 644 x = 1",
		"lib/site-packages/p/tool 755 elf",
		"lib/site-packages/p.data 644 a file",
		"lib/site-packages/p/x.data/y 644 a folder of its own",
		"lib/site-packages/x.data/y 644 one, too",
		"lib/site-packages/q.py 644 ",
		"lib/site-packages/r/s.so 755 so",
		"bin/run 755 #!/env/bin/python3 -E\nimport p",
		"bin/sh 755 #!/bin/sh\n",
		"bin/none 755 ",
		"include/p/p.h 644 int p;",
		"share/p.txt 644 p",
		"lib/site-packages/p-1.dist-info/RECORD 644 p",
	}, files)
}

func TestWhatIsNotUnpacked(t *testing.T) {
	for name, problem := range map[string]string{
		"../x.py": "leads out", "/x.py": "leads out", "p/../../x.py": "leads out", "p-1.data/data/../../../x": "leads out",
		`p//x.py`: "leads out", "p-1.data/other/x": `no kind of data called "other"`,
	} {
		_, err := unpacked(t, packed(t, [3]any{name, 0o644, ""}))
		assert.ErrorContains(t, err, problem, name)
		assert.ErrorContains(t, err, "execnet: "+name+" in p-1-py3-none-any.whl: ")
	}
	_, err := unpacked(t, packed(t, [3]any{"link", -1, "/etc"}))
	assert.ErrorContains(t, err, "neither a file nor a folder")
	damaged := packed(t, [3]any{"p.py", 0o644, "x = 'some text'"})
	damaged[40] ^= 1
	_, err = unpacked(t, damaged)
	assert.Error(t, err)
	_, err = Open(fstest.MapFS{"w.whl": {Data: []byte("no zip")}}, "w.whl")
	assert.ErrorIs(t, err, zip.ErrFormat)
	_, err = Open(fstest.MapFS{}, "w.whl")
	assert.ErrorIs(t, err, fs.ErrNotExist)
}

func TestDescribe(t *testing.T) {
	describe := func(name string, content []byte) string {
		w, err := Open(fstest.MapFS{name: {Data: content}}, name)
		require.NoError(t, err)
		defer w.Close()
		var b bytes.Buffer
		w.Describe(&b)
		return b.String()
	}
	one := packed(t, [3]any{"p.py", 0o644, "x = 1"})
	assert.Equal(t, describe("a.whl", one), describe("a.whl", packed(t, [3]any{"p.py", 0o644, "x = 1"})))
	for _, other := range []string{
		describe("b.whl", one),
		describe("a.whl", packed(t, [3]any{"p.py", 0o644, "x = 2"})),
		describe("a.whl", packed(t, [3]any{"p.py", 0o755, "x = 1"})),
		describe("a.whl", packed(t, [3]any{"q.py", 0o644, "x = 1"})),
		describe("a.whl", packed(t, [3]any{"p.py", 0o644, "x = 1"}, [3]any{"q.py", 0o644, ""})),
	} {
		assert.NotEqual(t, describe("a.whl", one), other)
	}
}

func TestTags(t *testing.T) {
	for _, tag := range []struct {
		python, abi string
		fits        bool
	}{
		{"py3", "none", true}, {"py314", "none", true}, {"py38", "none", true}, {"py315", "none", false},
		{"py2", "none", false}, {"py27", "none", false}, {"cp314", "none", true}, {"cp313", "none", false},
		{"cp314", "cp314", true}, {"cp314", "cp314t", false}, {"cp313", "cp313", false}, {"cp313", "cp314", false},
		{"cp38", "abi3", true}, {"cp315", "abi3", false}, {"py3", "abi3", false}, {"pp311", "pypy311_pp73", false},
		{"graalpy312", "none", false}, {"", "none", false}, {"cp3", "none", false},
	} {
		assert.Equal(t, tag.fits, pythonFits(tag.python, tag.abi, 14), "%s-%s", tag.python, tag.abi)
	}
	for tag, fits := range map[string][]string{
		"any":                      {"linux/amd64", "linux/arm64", "darwin/amd64", "darwin/arm64", "windows/amd64"},
		"manylinux2014_x86_64":     {"linux/amd64"},
		"manylinux_2_28_aarch64":   {"linux/arm64"},
		"manylinux1_i686":          nil,
		"musllinux_1_2_x86_64":     nil,
		"linux_x86_64":             {"linux/amd64"},
		"macosx_11_0_arm64":        {"darwin/arm64"},
		"macosx_10_9_universal2":   {"darwin/amd64", "darwin/arm64"},
		"macosx_10_13_x86_64":      {"darwin/amd64"},
		"win_amd64":                {"windows/amd64"},
		"win32":                    nil,
		"win_arm64":                nil,
		"manylinux_2_28_x86_64.so": nil,
	} {
		var found []string
		for _, system := range [][2]string{{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}} {
			if platformFits(tag, system[0], system[1]) {
				found = append(found, system[0]+"/"+system[1])
			}
		}
		assert.Equal(t, fits, found, tag)
	}
}

func TestCheck(t *testing.T) {
	check := func(name string) error { return (&Wheel{name: name}).Check(14) }
	for _, good := range []string{"six-1.17.0-py2.py3-none-any.whl", "p-1.0-2-py3-none-any.whl", "p-1-cp313.cp314-abi3.cp314-win_arm64.any.whl"} {
		assert.NoError(t, check(good), good)
	}
	assert.EqualError(t, check("numpy-2-cp313-cp313-any.whl"), fmt.Sprintf("execnet: numpy-2-cp313-cp313-any.whl is not for CPython 3.14 on %s %s", runtime.GOOS, runtime.GOARCH))
	assert.ErrorContains(t, check("p-1-cp314-cp314-emscripten_4_0_wasm32.whl"), "is not for CPython 3.14 on "+runtime.GOOS)
	assert.ErrorContains(t, check("p-1.whl"), "p-1.whl is no name of a wheel")
}

func TestAnErrorOfWritingEndsIt(t *testing.T) {
	full := errors.New("the disk is full")
	w, err := Open(fstest.MapFS{"p.whl": {Data: packed(t, [3]any{"p.py", 0o644, ""})}}, "p.whl")
	require.NoError(t, err)
	assert.ErrorIs(t, w.Unpack(somewhere, func(string, fs.FileMode, io.Reader) error { return full }), full)
}
