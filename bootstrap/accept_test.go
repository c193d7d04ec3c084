package bootstrap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

func accept(input string) (*Request, error) {
	return Accept(bufio.NewReader(strings.NewReader(input)))
}

// TestReferenceShapes goes through what each release writes, around a made-up source.
func TestReferenceShapes(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want Request
	}{
		"1.9.0 exec":   {execText(oldBase, "'thread'", "'gw0-worker'"), Request{ID: "gw0-worker", ExecModel: "thread", style: styleExec}},
		"2.1.2 exec":   {execText(modernBase, "'main_thread_only'", "'gwé-worker'"), Request{ID: "gwé-worker", ExecModel: "main_thread_only", style: styleExec}},
		"1.9.0 socket": {socketText(oldBase, "'gw1-worker'"), Request{ID: "gw1-worker", style: styleSocket}},
		"2.1.2 socket": {socketText(modernBase, "'socket//installvia=m//id=s-worker'"), Request{ID: "socket//installvia=m//id=s-worker", style: styleSocket}},
		"import":       {importText("'/opt/it\\'s'", "'gevent'", "'gw0-worker'"), Request{ID: "gw0-worker", ExecModel: "gevent", style: styleImport}},
		"Windows path": {importText("'C:\\\\venv'", `"eventlet"`, `u"gw0-worker"`), Request{ID: "gw0-worker", ExecModel: "eventlet", style: styleImport}},
		"later exec": {strings.Replace(execText(modernBase+"\n\ndef added(\n    x,\n) -> None:\n    pass\n", "'thread'", "'gw0-worker'"), "'1'.encode('ascii')", "b'1'", 1),
			Request{ID: "gw0-worker", ExecModel: "thread", style: styleExec}},
		"later import": {strings.Replace(importText("'/x'", "'thread'", "'gw0-worker'"), "import serve,", "import trace, serve,", 1),
			Request{ID: "gw0-worker", ExecModel: "thread", style: styleImport}},
		"backslash in a spec": {socketText(oldBase, `'socket=h:1//chdir=C:\dir-worker'`), Request{ID: `socket=h:1//chdir=C:\dir-worker`, style: styleSocket}},
	} {
		for _, python := range []int{2, 3} {
			for _, end := range []string{"\n", "\r\n"} {
				t.Run(fmt.Sprintf("%s/%d/%q", name, python, end), func(t *testing.T) {
					got, err := accept(repr(test.text, python) + end)
					require.NoError(t, err)
					test.want.Answer = []byte("1")
					assert.Equal(t, test.want, *got)
				})
			}
		}
	}
}

// referenceLines has the execnet that is installed, or the release that EXECNET_TEST_EXECNET_DIR
// holds, write its first lines for an id.
func referenceLines(t testing.TB, id string) map[style]string {
	t.Helper()
	cmd := exec.Command(pythons.WithExecnet(t), "-c", `
import sys
from execnet import gateway_bootstrap as b, XSpec
class Pipe:
    def write(self, data): self.data = data
    def read(self, n): return b"1"
def spec(text):
    spec = XSpec(text)
    spec.execmodel = "thread"
    return spec
pipe = Pipe()
out = getattr(sys.stdout, "buffer", sys.stdout)
for start, argument in ((b.bootstrap_import, spec("popen//id=" + sys.argv[1])), (b.bootstrap_exec, spec("ssh=host//id=" + sys.argv[1])), (b.bootstrap_socket, sys.argv[1])):
    start(pipe, argument)
    out.write(pipe.data)
`, id)
	cmd.Env = os.Environ()
	if dir := os.Getenv("EXECNET_TEST_EXECNET_DIR"); dir != "" {
		cmd.Env = append(cmd.Env, "PYTHONPATH="+dir)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	lines := strings.SplitAfter(string(out), "\n")
	require.Len(t, lines, 4)
	return map[style]string{styleImport: lines[0], styleExec: lines[1], styleSocket: lines[2]}
}

func TestInstalledRelease(t *testing.T) {
	for style, line := range referenceLines(t, "gw-7") {
		t.Run(string(style), func(t *testing.T) {
			want := &Request{ID: "gw-7-worker", ExecModel: "thread", Answer: []byte("1"), style: style}
			if style == styleSocket {
				want.ExecModel = ""
			}
			got, err := accept(line)
			require.NoError(t, err)
			assert.Equal(t, want, got)

			// The least that is added makes it another line.
			changed := []string{line[:1] + "import os; " + line[1:], line[:1] + line}
			call := strings.LastIndex(line, ")") + 1
			for _, end := range []string{"; import os", "\\nimport os", "\\n", " "} {
				changed = append(changed, line[:call]+end+line[call:])
			}
			for _, line := range changed {
				_, err := accept(line)
				var refused *refusedError
				assert.ErrorAs(t, err, &refused)
			}
		})
	}
}

// TestOwnLines has Accept read whatever firstLines writes.
func TestOwnLines(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", filepath.Join(t.TempDir(), "it's \"here\" é"))
	for name, base := range ownSpecs() {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				spec := base.Clone()
				spec.ID = rapid.StringMatching(`[^\p{Cc}\p{Cs}]*`).Draw(t, "id")
				spec.ExecModel = rapid.SampledFrom(append([]string{""}, xspec.ExecModels()...)).Draw(t, "execmodel")
				spec.Engine = ""
				if spec.Bootstrap == "" {
					spec.Engine = rapid.SampledFrom(append([]string{""}, xspec.Engines()...)).Draw(t, "engine")
				}
				spec.ChDir = rapid.String().Draw(t, "chdir")
				spec.Nice = rapid.Int().Draw(t, "nice")
				spec.Env = rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "env")
				want := &Request{ID: spec.ID + "-worker", ExecModel: spec.ExecModel, style: styleExec, Engine: spec.Engine, ChDir: spec.ChDir, Nice: spec.Nice, Answer: []byte("1TOKEN")}
				if len(spec.Env) > 0 {
					want.Env = spec.Env
				}
				want.DescribeErrors = spec.Bootstrap != "import"
				switch {
				case spec.Kind() == xspec.KindSocket:
					want.style = styleSocket
				case spec.Bootstrap == "import":
					want.style = styleImport
				}
				if want.ExecModel == "" && want.style != styleSocket {
					want.ExecModel = "thread"
				}
				var ahead []byte
				if want.style != styleImport && spec.Bootstrap != "import" {
					want.Output = rapid.IntRange(0, 7).Draw(t, "output")
				}
				if CanStartLazily(spec) {
					ahead = rapid.SliceOf(rapid.Byte()).Draw(t, "ahead")
					if len(ahead) > 0 {
						want.Ahead = ahead
					}
				}
				input := string(bytes.Join(firstLines(spec, "TOKEN", more{ahead: ahead, output: want.Output}), nil))
				r := bufio.NewReader(strings.NewReader(input + "what follows"))
				got, err := Accept(r)
				require.NoError(t, err)
				require.Equal(t, want, got)
				rest, err := io.ReadAll(r)
				require.NoError(t, err)
				require.Equal(t, "what follows", string(rest), "no more is read than the line or lines")

				_, err = accept(input[:len(input)-1])
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			})
		})
	}
}

func TestSelf(t *testing.T) {
	spec := &xspec.Spec{Popen: true, Self: true, ID: "gw0"}
	assert.True(t, CanStartLazily(spec))
	words := firstLines(spec, "TOKEN", more{ahead: []byte{3, 'x'}})
	require.Len(t, words, 1)
	assert.Equal(t, `"serve_popen(\"gw0-worker\", \"thread\", {\"answer\": \"TOKEN\", \"errors\": 1, \"ahead\": b\"\\x03x\"})"`+"\n", string(words[0]))
}

// TestHostile has lines that are almost a driver's.
func TestHostile(t *testing.T) {
	good := execText(modernBase, "'thread'", "'gw0-worker'")
	own := `serve_popen("gw0-worker", "thread", {})`
	installed := string(firstLines(&xspec.Spec{Popen: true, ID: "gw0", Bootstrap: "import", ChDir: "/x"}, "TOKEN", more{})[0])
	installed, _, err := pystring.CutString(installed)
	require.NoError(t, err)
	replaced := func(text, old, with string) string {
		require.Equal(t, 1, strings.Count(text, old), old)
		return strings.Replace(text, old, with, 1)
	}
	for name, text := range map[string]string{
		"nothing":             "",
		"a command":           `__import__('os').system('touch /tmp/x')`,
		"a command first":     "__import__('os').system('id')\n" + good,
		"an import first":     "import os\n" + good,
		"no import first":     replaced(good, "from __future__ import annotations", "__import__('os').system('id')"),
		"import and command":  replaced(good, "from __future__ import annotations", "import os; os.system('id')"),
		"other docstring":     replaced(good, "execnet's", "something's"),
		"open docstring":      "\"\"\"execnet\n" + execText("", "'thread'", "'x'"),
		"no source":           execText("", "'thread'", "'gw0-worker'"),
		"half the source":     replaced(good, "def init_popen_io(", "def init("),
		"statement in source": replaced(good, "    io.write(\"1\")\n", "    io.write(\"1\")\nimport os\n"),
		"statement at end":    good + "\nimport os",
		"same line":           good + "; import os",
		"line end":            good + "\n",
		"comment":             good + " # so",
		"quoted id":           execText(modernBase, "'thread'", "'a'b-worker'"),
		"broken id":           execText(modernBase, "'thread'", "'a\nb-worker'"),
		"escaped break":       execText(modernBase, "'thread'", `'a\nb-worker'`),
		"escaped NUL":         execText(modernBase, "'thread'", `'a\0b-worker'`),
		"id that ends it":     execText(modernBase, "'thread'", "'a'); import os; ('-worker'"),
		"computed id":         execText(modernBase, "'thread'", "'a' + 'b'"),
		"joined id":           execText(modernBase, "'thread'", "'a' 'b'"),
		"long quotes":         execText(modernBase, "'thread'", "'''a'''"),
		"raw id":              execText(modernBase, "'thread'", "r'a'"),
		"bytes id":            execText(modernBase, "'thread'", "b'a'"),
		"no id":               execText(modernBase, "'thread'", "id"),
		"unknown model":       execText(modernBase, "'threads'", "'x'"),
		"empty model":         execText(modernBase, "''", "'x'"),
		"computed model":      execText(modernBase, "input()", "'x'"),
		"other answer":        replaced(good, "'1'.encode", "'2'.encode"),
		"other io":            replaced(good, "io = init_popen_io(execmodel)", "io = init_popen_io(exec)"),
		"socket without":      replaced(socketText(modernBase, "'x'"), "class SocketIO", "class SocketOI"),
		"socket statement":    replaced(socketText(modernBase, "'x'"), "import socket\n", "import socket\nimport os\n"),
		"import elsewhere":    replaced(importText("'/x'", "'thread'", "'x'"), "from execnet.", "from evil."),
		"import less":         replaced(importText("'/x'", "'thread'", "'x'"), "init_popen_io, get", "get"),
		"import more":         replaced(importText("'/x'", "'thread'", "'x'"), ", get_execmodel\n", ", get_execmodel; import os\n"),
		"import computed":     importText("__file__", "'thread'", "'x'"),
		"import other path":   replaced(importText("'/x'", "'thread'", "'x'"), "(0, '/x')", "(0, '/y')"),
		"own and more":        own + "; import os",
		"own twice":           own + "\n" + own,
		"own model":           `serve_popen("x", "Thread", {})`,
		"own key":             `serve_popen("x", "thread", {"shell": "id"})`,
		"own engine":          `serve_popen("x", "thread", {"engine": "cython"})`,
		"own engine computed": `serve_popen("x", "thread", {"engine": input()})`,
		"own socket engine":   packedWorker() + `serve_socket(clientsock, "x", execmodel.backend, {"answer": "a", "errors": 1, "engine": "go"})` + "\n",
		"own key twice":       `serve_popen("x", "thread", {"nice": 1, "nice": 2})`,
		"own empty twice":     `serve_popen("x", "thread", {"env": {}, "env": {}})`,
		"own variable twice":  `serve_popen("x", "thread", {"env": {"a": "1", "a": "2"}})`,
		"own number":          `serve_popen("x", "thread", {"nice": 1+1})`,
		"own long number":     `serve_popen("x", "thread", {"nice": 99999999999999999999})`,
		"own padded number":   `serve_popen("x", "thread", {"nice": 01})`,
		"own no number":       `serve_popen("x", "thread", {"nice": })`,
		"own errors":          `serve_popen("x", "thread", {"errors": 2})`,
		"own output":          `serve_popen("x", "thread", {"output": 8})`,
		"own output twice":    `serve_popen("x", "thread", {"output": 1, "output": 1})`,
		"own socket output":   packedWorker() + `serve_socket(clientsock, "x", execmodel.backend, {"answer": "a", "errors": 1, "output": -1})` + "\n",
		"own errors twice":    `serve_popen("x", "thread", {"errors": 1, "errors": 1})`,
		"own ahead":           `serve_popen("x", "thread", {"ahead": "text"})`,
		"own ahead bytes":     `serve_popen("x", "thread", {"ahead": b"é"})`,
		"own open":            `serve_popen("x", "thread", {"nice": 1`,
		"own answer twice":    `serve_popen("x", "thread", {"answer": "a", "answer": "b"})`,
		"own answer bytes":    `serve_popen("x", "thread", {"answer": b"a"})`,
		"own comma":           `serve_popen("x", "thread", {"nice": 1, })`,
		"own head":            "import binascii, zlib\nexec(zlib.decompress(binascii.a2b_base64(\"!\")))\n" + own + "\n",
		"own set-up":          replaced(installed, "os.chdir(folder)", "os.chdir(\"/y\")"),
		"own set-up more":     replaced(installed, "os.chdir(folder)", "os.chdir(folder)\n    os.system(\"id\")"),
		"own socket set-up":   fmt.Sprintf(socketSetUpFormat, pystring.ASCII("os.system('id')\n")) + packedWorker() + `serve_socket(clientsock, "x", execmodel.backend, {"answer": "a", "errors": 1})` + "\n",
		"own socket key":      packedWorker() + `serve_socket(clientsock, "x", execmodel.backend, {"answer": "a", "errors": 1, "nice": 1})` + "\n",
		"own without a line":  fmt.Sprintf(cachedFormat, `"/x"`) + own + "\n",
		"own computed folder": fmt.Sprintf(cachedFormat, "input()") + own + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := accept(repr(text, 3) + "\n")
			var refused *refusedError
			require.ErrorAs(t, err, &refused)
			assert.ErrorContains(t, err, "a driver starts it")
			assert.LessOrEqual(t, len(refused.got), 60)
			assert.Less(t, len(err.Error()), 500)
		})
	}
	t.Run("second line", func(t *testing.T) {
		first := string(line(fmt.Sprintf(cachedFormat, `"/x"`) + own + "\n"))
		_, err := accept(first + string(workerLine()))
		require.NoError(t, err)
		_, err = accept(first + pystring.ASCII(packedWorker()+"import os\n") + "\n")
		assert.ErrorContains(t, err, "second line")
		_, err = accept(first)
		assert.ErrorIs(t, err, io.EOF)
	})
}

// TestNoLine has input that is not a line with one literal.
func TestNoLine(t *testing.T) {
	for name, test := range map[string]struct{ input, want string }{
		"terminal":       {"help\nme\n", `execnet: the first line is not a Python string literal (it begins with "help"). This is an execnet worker`},
		"terminal 'a'":   {"'help'\n", `expected what a driver sends instead of "help" (it begins with "'help'")`},
		"http":           {"GET / HTTP/1.1\r\n\r\n", `"GET / HTTP/1.1"`},
		"binary":         {"\x16\x03\x01\x00\xff", `"\x16\x03\x01\x00\xff"`},
		"escape codes":   {"\x1b[31mred\n", `"\x1b[31mred"`},
		"long":           {strings.Repeat("x", 5000), `"` + strings.Repeat("x", 60) + `"`},
		"command":        {"__import__('os').system('id')\n", "not a Python string literal"},
		"literal and":    {"'a'.join(b)\n", "goes on after its literal"},
		"two literals":   {"'a' 'b'\n", "goes on after its literal"},
		"long quotes":    {"'''a'''\n", "goes on after its literal"},
		"raw":            {"ur'a'\n", "no opening quote"},
		"only u":         {"u\n", "no opening quote"},
		"open":           {"'a\n", "control character"},
		"NUL":            {"'a\x00'\n", "control character"},
		"DEL":            {"'a\x7f'\n", "control character"},
		"tab":            {"'a\t'\n", "control character"},
		"continued":      {"'a\\\n'\n", "control character"},
		"not UTF-8":      {"'\xff'\n", "not UTF-8"},
		"name":           {`'\N{BULLET}'` + "\n", `\\N`[1:]},
		"surrogate":      {`'\ud800'` + "\n", `"\\ud800"`},
		"beyond Unicode": {`'\U00110000'` + "\n", `\\U00110000`},
		"short escape":   {`'\x4'` + "\n", `\\x4`},
		"octal":          {`'\777'` + "\n", `\\777`},
		"no line end":    {"'abc", "ended within the first line"},
		"nothing":        {"", "ended before a driver said anything"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := accept(test.input)
			var refused *refusedError
			require.ErrorAs(t, err, &refused)
			assert.ErrorContains(t, err, test.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := accept("")
	assert.ErrorIs(t, err, io.EOF)
	_, err = accept("'abc")
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	broken := errors.New("the wire is cut")
	_, err = Accept(bufio.NewReader(io.MultiReader(strings.NewReader("'abc"), iotest.ErrReader(broken))))
	assert.ErrorIs(t, err, broken)
}

// endless is a line that never ends, and counts what was read of it.
type endless int

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '"'
	}
	*e += endless(len(p))
	return len(p), nil
}

func TestLineLimit(t *testing.T) {
	var e endless
	_, err := Accept(bufio.NewReader(&e))
	assert.ErrorContains(t, err, "longer than 4 MiB")
	assert.Less(t, int(e), maxLine+(64<<10))

	// The first byte of what is no literal is enough.
	_, err = Accept(bufio.NewReader(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errors.New("read on")))))
	assert.ErrorContains(t, err, "not a Python string literal")

	most := bytes.Repeat([]byte{0}, maxAhead)
	words := firstLines(&xspec.Spec{Popen: true, Self: true}, "TOKEN", more{ahead: most})
	require.Less(t, len(words[0]), maxLine)
	inv, err := accept(string(words[0]))
	require.NoError(t, err)
	assert.Equal(t, most, inv.Ahead)
}

// TestMemory has the longest lines of each kind take no more than a small multiple of their length.
func TestMemory(t *testing.T) {
	repeated := func(unit string) string { return strings.Repeat(unit, (maxLine-1000)/len(unit)) }
	var env strings.Builder
	for i := range maxLine / 20 {
		fmt.Fprintf(&env, `'%d': '', `, i)
	}
	for name, input := range map[string]string{
		"escapes":   `"` + repeated(`\xff`) + `"`,
		"unclosed":  `"` + repeated(`\"`),
		"variables": `"serve_popen('x', 'thread', {'env': {` + env.String() + `'x': ''}})"`,
		"keys":      `"serve_popen('x', 'thread', {` + repeated(`'env': {}, `) + `})"`,
		"ends":      `"` + repeated(`\nexecmodel = get_execmodel(`) + `"`,
		"lines":     `"` + repeated(`\nio = `) + `"`,
		"id":        `"serve_popen('` + repeated("é") + `', 'thread', {})"`,
	} {
		t.Run(name, func(t *testing.T) {
			require.Less(t, len(input), maxLine)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = accept(input + "\n") // whether it is one does not matter here
			runtime.ReadMemStats(&after)
			assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16*maxLine))
			t.Logf("%d bytes took %d", len(input), after.TotalAlloc-before.TotalAlloc)
		})
	}
}

// FuzzAccept tries lines, and texts of lines, in which changes have more effect.
func FuzzAccept(f *testing.F) {
	f.Setenv("XDG_CACHE_HOME", f.TempDir())
	short := strings.NewReplacer(packedWorker(), fmt.Sprintf(packedFormat, `"eA=="`))
	for _, spec := range ownSpecs() {
		spec.ID, spec.ChDir, spec.Nice, spec.Env = "gw0", "/x", -3, map[string]string{"A": "é"}
		var ahead []byte
		if CanStartLazily(spec) {
			ahead = []byte{0, '"', 255}
		}
		var lines string
		for i, words := range firstLines(spec, "TOKEN", more{ahead: ahead}) {
			text, _, err := pystring.CutString(string(words))
			require.NoError(f, err)
			lines += pystring.ASCII(short.Replace(text)) + "\n"
			if i == 0 {
				f.Add([]byte(short.Replace(text)), true)
			}
		}
		f.Add([]byte(lines), false)
	}
	for _, text := range []string{
		execText(oldBase, "'thread'", "'gw0-worker'"), execText(modernBase, "'gevent'", "'gw0-worker'"), socketText(modernBase, "'x'"), importText("'/x'", "'thread'", "'x'"),
	} {
		f.Add([]byte(text), true)
		f.Add([]byte(repr(text, 2)+"\n"), false)
		f.Add([]byte(repr(text, 3)+"\n"), false)
	}
	f.Fuzz(func(t *testing.T, input []byte, isText bool) {
		if isText {
			input = line(string(input))
		}
		r := bytes.NewReader(input)
		b := bufio.NewReader(r)
		inv, err := Accept(b)
		if err != nil {
			var refused *refusedError
			require.ErrorAs(t, err, &refused)
			require.Nil(t, inv)
			return
		}
		read := input[:len(input)-r.Len()-b.Buffered()]
		require.Equal(t, byte('\n'), read[len(read)-1])
		require.Contains(t, []style{styleExec, styleImport, styleSocket}, inv.style)
		require.NotContains(t, inv.ID, "\n")
		require.LessOrEqual(t, len(inv.ID)+len(inv.ChDir)+len(inv.Ahead), len(read))
		text, _, err := pystring.CutString(string(read))
		require.NoError(t, err)
		require.Contains(t, text, "serve", "only what ends in a call to serve is recognised")
	})
}

func BenchmarkAccept(b *testing.B) {
	lines := map[string]string{
		"self":   string(firstLines(&xspec.Spec{Popen: true, Self: true, ID: "gw0"}, "TOKEN", more{})[0]),
		"sent":   string(firstLines(&xspec.Spec{SSH: "x", ID: "gw0"}, "TOKEN", more{})[0]),
		"cached": string(bytes.Join(firstLines(&xspec.Spec{Popen: true, ID: "gw0"}, "TOKEN", more{}), nil)),
	}
	for style, line := range referenceLines(b, "gw0") {
		lines["execnet "+string(style)] = line
	}
	for name, line := range lines {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				if _, err := accept(line); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
