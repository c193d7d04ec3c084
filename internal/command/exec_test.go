package command

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

func TestExec(t *testing.T) {
	assert.Equal(t, `{"gateway": "gw0", "item": 2}`+"\n"+`{"gateway": "gw0", "item": [1, "two", {"__bytes__": "AA=="}]}`+"\n",
		ok(t, "", "exec", "-c", `
			channel.send(1 + 1)
			channel.send((1, u"two", b"\0"[0:1] if str is not bytes else bytearray(1)))
		`))
}

// What the source and its children print is on stderr, behind the gateways' ids. With --no-output
// stdout goes nowhere, and stderr is as it is.
func TestExecOutput(t *testing.T) {
	const source = `
		import os, sys
		print("by print")
		os.write(1, b"to 1\nno end")
		sys.stderr.write("error\n")
	`
	r := execnet(t, "", "exec", "--tx", "2*popen", "-c", source)
	assert.Empty(t, r.stdout)
	assert.Zero(t, r.code)
	got := slices.Sorted(strings.Lines(r.stderr))
	assert.Equal(t, []string{"[gw0] by print\n", "[gw0] error\n", "[gw0] no end\n", "[gw0] to 1\n",
		"[gw1] by print\n", "[gw1] error\n", "[gw1] no end\n", "[gw1] to 1\n"}, got)
	r = execnet(t, "", "exec", "--no-output", "-c", source)
	r.stderr = strings.ReplaceAll(r.stderr, "\r\n", "\n") // Python's text on Windows
	assert.Equal(t, result{stderr: "error\n"}, r)
}

func TestExecEveryPython(t *testing.T) {
	args := []string{"exec", "-c", "import sys; channel.send('%d.%d' % sys.version_info[:2])"}
	want := map[string][]string{}
	for i, p := range pythons.All(t) {
		args = append(args, "--tx", "2*"+p.Spec())
		for _, id := range []int{2 * i, 2*i + 1} {
			want[fmt.Sprintf("gw%d", id)] = []string{`"` + p.Version() + `"`}
		}
	}
	assert.Equal(t, want, lines(t, ok(t, "", args...)))
}

// Lines of many writers stay whole, and each gateway's in order.
func TestExecManyLines(t *testing.T) {
	out := ok(t, "", "exec", "--tx", "3*popen", "--tx", "popen//id=last", "-c", "for i in range(300): channel.send('%d ' % i * 500)")
	items := lines(t, out)
	require.Len(t, items, 4)
	for id, got := range items {
		require.Len(t, got, 300, id)
		for i, item := range got {
			require.Equal(t, `"`+strings.Repeat(fmt.Sprintf("%d ", i), 500)+`"`, item, id)
		}
	}
}

// jsonValues are Python values and what reads them back from the form that "execnet help json"
// describes.
const jsonValues = `
import base64, json, sys

nan = float("nan")
values = [
    None, True, 1, -2**31, 2**53 + 1, 2**200, -2**64, 1.0, 1e300, -0.0, 5e-324, nan, nan * -1, float("inf"), -float("inf"), 1j, complex(nan, -0.0),
    u"", u"\x00\x1f\x7f\x85\u2028\xe9\U0001F600\"\\/<>&", b"", bytes(bytearray(range(256))), [], [1, [2.0]], {}, {"a": {"b": None}},
    {1: 2, (1, ("x", b"y")): [3], None: {}, 2.5: 1, frozenset([1, (2,)]): 0}, {"__bytes__": 1}, {"a": 1, "__set__": [1]}, {"__dict__": {"__dict__": []}},
    set(), {1, "a", (1, 2), frozenset([3])}, frozenset(), frozenset([frozenset([u"x"])]), [{"__float__": "nan"}],
]

def key(v):
    return tuple(map(key, v)) if isinstance(v, list) else v

def decode(v):
    if isinstance(v, list):
        return [decode(x) for x in v]
    if not isinstance(v, dict):
        return v
    tag = next(iter(v), None)
    if tag == "__float__":
        return float(v[tag])
    if tag == "__complex__":
        return complex(*map(decode, v[tag]))
    if tag == "__bytes__":
        return base64.b64decode(v[tag], validate=True)
    if tag == "__set__":
        return {key(decode(x)) for x in v[tag]}
    if tag == "__frozenset__":
        return frozenset(key(decode(x)) for x in v[tag])
    if tag == "__dict__":
        return {key(decode(k)): decode(x) for k, x in v[tag]}
    return {k: decode(x) for k, x in v.items()}
`

// What exec prints is what its documentation says, to a reader written in Python from that.
func TestExecJSONReadByPython(t *testing.T) {
	out := ok(t, "", "exec", "-c", jsonValues+"\nfor v in values: channel.send(v)")
	check := jsonValues + `
got = [decode(json.loads(line)["item"]) for line in sys.stdin]
assert len(got) == len(values)
for v, w in zip(values, got):
    assert type(v) is type(w) and (v == w or repr(v) == repr(w)), (v, w)
print("the same")
`
	cmd := exec.Command(pythons.Default(t).Path, "-c", check)
	cmd.Stdin = strings.NewReader(out)
	verdict, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", verdict)
	assert.Equal(t, "the same", strings.TrimSpace(string(verdict)))
}

// What exec has printed can be sent, and is printed the same again.
func TestExecSend(t *testing.T) {
	t.Setenv("PYTHONHASHSEED", "0") // sets come in the same order
	printed := ok(t, "", "exec", "-c", jsonValues+"\nfor v in values: channel.send(v)")
	args := []string{"exec", "-c", jsonValues + "\nfor v in values: channel.send(channel.receive())"}
	for _, item := range lines(t, printed)["gw0"] {
		args = append(args, "--send", item)
	}
	assert.Equal(t, printed, ok(t, "", args...))

	assert.Equal(t, `{"gateway": "gw0", "item": "(1, [2])"}`+"\n",
		ok(t, "", "exec", "--send", `{"__tuple__": [1, [2]]}`, "-c", "channel.send(repr(channel.receive()))"))
	assert.Empty(t, ok(t, "", "exec", "--send", "1", "--send", "2", "-c", "pass"), "nobody has to receive them")
	assert.Equal(t, "{\"gateway\": \"gw0\", \"item\": 2}\n{\"gateway\": \"gw0\", \"item\": 3}\n",
		ok(t, "", "exec", "--send", "1", "--send", "2", "-c", "for x in channel: channel.send(x + 1)"), "a loop ends with them")
	assert.Empty(t, ok(t, "", "exec", "-c", "channel.receive()"), "there is nothing to wait for")
}

func TestExecRaw(t *testing.T) {
	assert.Equal(t, "one\x00\xfftwoé\n"+"(1, 'a', b'b')\nNone\n", ok(t, "", "exec", "--raw", "-c", `
		for item in "one", b"\x00\xff", u"two\xe9\n", (1, "a", b"b"), None:
		    channel.send(item)
	`))
}

func TestExecFunction(t *testing.T) {
	const f = "def f(channel, **kwargs):\n    for name in sorted(kwargs): channel.send([name, repr(kwargs[name])])\n"
	const want = `["a", "5"]
["b", "'five'"]
["c", "'5'"]
["d", "(1, {None: b'x'})"]
["e", "''"]
["f", "'x=y'"]
["g", "'#fff'"]
`
	values := []string{"--arg", "a=5", "--arg", "b=five", "--arg", "c='5'", "--arg", "d=1, {None: b'x'}", "--arg", "e=", "--arg", "f=x=y", "--arg", "g=#fff"}
	check := func(stdin string, args ...string) {
		t.Helper()
		got := lines(t, ok(t, stdin, append(append([]string{"exec"}, args...), values...)...))["gw0"]
		assert.Equal(t, want, strings.Join(got, "\n")+"\n")
	}
	check("", "-c", f)
	check(f, "-")
	check("", "--call", "f", "-c", f+"def g(channel): pass\n")
	file := filepath.Join(t.TempDir(), "f.py")
	require.NoError(t, os.WriteFile(file, []byte("# a comment\n"+f), 0o600))
	check("", file)

	assert.Empty(t, ok(t, "", "exec", "-c", f), "called without arguments")
	r := execnet(t, "", "exec", "-c", "def f(a): pass")
	assert.Equal(t, result{stderr: "[gw0] the first argument of the function f must be named channel, not \"a\"\n", code: 1}, r)
}

func TestExecTraceback(t *testing.T) {
	file := filepath.Join(t.TempDir(), "script.py")
	require.NoError(t, os.WriteFile(file, []byte("\nimport sys\nif channel.gateway.id.startswith('bad'):\n    {}[b'k']\nchannel.send('fine')\n"), 0o600))
	r := execnet(t, "", "exec", "--tx", "popen//id=bad", "--tx", "popen//id=good", file)
	assert.Equal(t, 1, r.code)
	assert.Equal(t, `{"gateway": "good", "item": "fine"}`+"\n", r.stdout)
	assert.Contains(t, r.stderr, fmt.Sprintf("[bad]   File \"%s\", line 4, in <module>\n", file))
	assert.Contains(t, r.stderr, "[bad] KeyError: b'k'\n")
	for text := range strings.Lines(r.stderr) {
		assert.True(t, strings.HasPrefix(text, "[bad] "), text)
	}
	assert.Contains(t, execnet(t, "\n\n1/0", "exec", "-").stderr, `[gw0]   File "<stdin>", line 3, in <module>`)
}

func TestExecDeath(t *testing.T) {
	r := execnet(t, "", "exec", "--tx", "popen//id=a", "--tx", "popen//id=b", "-c", `
		import os, sys
		if channel.gateway.id.startswith("a"):
		    sys.stderr.write("farewell\n"); sys.stderr.flush()
		    os._exit(7)
		channel.send(1)
	`)
	assert.Equal(t, result{stdout: `{"gateway": "b", "item": 1}` + "\n", stderr: r.stderr, code: 1}, r)
	assert.Contains(t, r.stderr, "[a] gateway a died (exit status 7)\n")
	assert.Equal(t, 1, strings.Count(r.stderr, "farewell"))
}

func TestExecCannotStart(t *testing.T) {
	marker := filepath.Join(t.TempDir(), "ran")
	r := execnet(t, "", "exec", "--tx", "2*popen", "--tx", "popen//python=no-such-python", "-c", fmt.Sprintf("open(%q, 'w')", marker))
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
	assert.Contains(t, r.stderr, `[gw2] cannot start popen//python=no-such-python: cannot start "no-such-python"`)
	assert.NoFileExists(t, marker, "nothing is run")

	r = execnet(t, "", "exec", "--tx", "popen//python=echo hello", "-c", "pass")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, `[gw0] gateway gw0 (popen//python=echo hello) did not start`)

	r = execnet(t, "", "exec", filepath.Join(t.TempDir(), "absent.py"))
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "execnet exec: open ")
}

func TestExecTimeout(t *testing.T) {
	r := execnet(t, "", "exec", "--tx", "2*popen", "--timeout", "700ms", "-c", "import time; time.sleep(100)")
	assert.Equal(t, 124, r.code)
	assert.Contains(t, r.stderr, "execnet exec: not done after 700ms (--timeout)")
	assert.Equal(t, `{"gateway": "gw0", "item": 1}`+"\n", ok(t, "", "exec", "--timeout", "1m", "-c", "channel.send(1)"))
}

// A python that never answers does not outlive the time limit either, and is named.
func TestExecTimeoutAtStart(t *testing.T) {
	python := strings.ReplaceAll(pythons.Default(t).Path, `\`, "/")
	silent := "popen//python=" + python + " -c 'import time; time.sleep(100)'"
	r := execnet(t, "", "exec", "--timeout", "700ms", "-c", "pass", "--tx", silent)
	assert.Equal(t, result{stderr: "execnet exec: not done after 700ms (--timeout); no answer from gw0 (" + silent + ")\n", code: 124}, r)
}

func TestInfo(t *testing.T) {
	folder, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	var args []string
	for _, p := range pythons.All(t) {
		args = append(args, p.Spec()+"//chdir="+folder)
	}
	out := ok(t, "", append([]string{"info"}, args...)...)
	blocks := strings.Split(out, "\ngw")
	require.Len(t, blocks, len(args))
	for i, p := range pythons.All(t) {
		assert.Regexp(t, fmt.Sprintf(`^(gw)?%d  popen//python=\S+\n  interpreter  \S+\n  version      %s\.\d+\S*\n  platform     \S+\n  pid          \d+\n  cwd          \S+\n?$`,
			i, strings.ReplaceAll(p.Version(), ".", `\.`)), blocks[i])
		assert.Contains(t, blocks[i], folder)
	}

	assert.Regexp(t, `^\{"gateway": "gw0", "spec": "popen", "interpreter": ".+", "version": "3\.\S+", "platform": "\w+", "pid": \d+, "cwd": ".+"\}\n$`,
		ok(t, "", "info", "--json"))

	// A folder that is absent is not made.
	absent := filepath.Join(folder, "a", "b")
	for _, p := range pythons.All(t) {
		out = ok(t, "", "info", p.Spec()+"//chdir="+absent)
		assert.Contains(t, out, "cwd          "+absent+" (absent; a gateway makes it)\n")
		require.NoDirExists(t, filepath.Dir(absent))
	}
	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	r := execnet(t, "", "info", "popen//chdir="+file)
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "chdir="+file+": "+file+" is not a folder")

	r = execnet(t, "", "info", "popen//python=no-such-python", "popen//id=x")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stdout, "x  popen//id=x\n  interpreter  ")
	assert.Contains(t, r.stderr, "[gw0] cannot start popen//python=no-such-python")
}

func TestExecEnv(t *testing.T) {
	out := ok(t, "", "exec", "--tx", "popen//env%:A=http:%2F%2Fp:1", "--tx", "popen//env:B=own", "--env", "B=http://q:2", "--env", "C=",
		"-c", "import os; channel.send([os.environ.get(name) for name in 'ABC'])")
	assert.Equal(t, map[string][]string{"gw0": {`["http://p:1", "http://q:2", ""]`}, "gw1": {`[null, "own", ""]`}}, lines(t, out))
}

// What stands behind -- is in sys.argv, whatever it looks like.
func TestExecArguments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "program.py")
	const source = "import sys; channel.send([arg if str is not bytes else arg.decode('utf-8') for arg in sys.argv])"
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	args := []string{"--tx", goSpec}
	for _, p := range pythons.All(t) {
		args = append(args, "--tx", p.Spec())
	}
	for _, c := range []struct {
		stdin string
		args  []string
		want  string
	}{
		{"", []string{file, "--", "--verbose", "-c", "é", ""}, fmt.Sprintf(`[%q, "--verbose", "-c", "é", ""]`, file)},
		{"", []string{file, "--"}, fmt.Sprintf(`[%q]`, file)},
		{"", []string{"-c", source, "--", "a"}, `["-c", "a"]`},
		{source, []string{"-", "--", "a"}, `["-", "a"]`},
	} {
		got := lines(t, ok(t, c.stdin, slices.Concat([]string{"exec"}, args, c.args)...))
		assert.Len(t, got, len(args)/2)
		for id, items := range got {
			assert.Equal(t, []string{c.want}, items, id)
		}
	}
	// The source still has the main thread.
	ok(t, "", "exec", "-c", "import signal; signal.signal(signal.SIGINT, signal.SIG_DFL)", "--", "a")
}

// sys.exit in a source means what it means in a program.
func TestExecSystemExit(t *testing.T) {
	for source, want := range map[string]result{
		"sys.exit()":                   {},
		"sys.exit(0)":                  {},
		"sys.exit(None)":               {},
		"sys.exit(False)":              {},
		"sys.exit(3)":                  {code: 3},
		"sys.exit(259)":                {code: 3},
		"sys.exit(-1)":                 {code: 255},
		"sys.exit('no\\nway')":         {code: 1, stderr: "[gw0] no\n[gw0] way\n"},
		"raise SystemExit(4)":          {code: 4},
		"channel.send(1); sys.exit(2)": {code: 2, stdout: `{"gateway": "gw0", "item": 1}` + "\n"},
	} {
		for _, spec := range []string{"popen", goSpec} {
			assert.Equal(t, want, execnet(t, "", "exec", "--tx", spec, "-c", "import sys; "+source), "%s: %s", spec, source)
		}
	}
	// Of several, the highest counts, and the others run to their end.
	r := execnet(t, "", "exec", "--tx", "3*popen", "-c", `
		import sys, time
		id = channel.gateway.id
		if id.startswith("gw0"):
			1 / 0
		sys.exit(7 if id.startswith("gw1") else 5)
	`)
	assert.Equal(t, 7, r.code)
	assert.Contains(t, r.stderr, "[gw0] ZeroDivisionError")
	assert.NotContains(t, r.stderr, "[gw1]")
}

func TestExecKeepGoing(t *testing.T) {
	args := []string{"exec", "--tx", "popen//python=no-such-python", "--tx", "popen", "-c", "channel.send(1)"}
	r := execnet(t, "", args...)
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
	r = execnet(t, "", append(args, "--keep-going")...)
	assert.Equal(t, 1, r.code)
	assert.Equal(t, `{"gateway": "gw1", "item": 1}`+"\n", r.stdout)
	assert.Contains(t, r.stderr, "[gw0] cannot start popen//python=no-such-python")
	r = execnet(t, "", "exec", "--keep-going", "--tx", "popen//python=no-such-python", "-c", "channel.send(1)")
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
}

// Files and stdin are read as Python reads them.
func TestExecSourceFiles(t *testing.T) {
	folder := t.TempDir()
	latin := "# -*- coding: latin-1 -*-\r\nchannel.send(u'\xe4')\r\n"
	file := filepath.Join(folder, "latin.py")
	require.NoError(t, os.WriteFile(file, []byte(latin), 0o600))
	want := `{"gateway": "gw0", "item": "ä"}` + "\n"
	for _, spec := range []string{"popen", goSpec} {
		assert.Equal(t, want, ok(t, "", "exec", "--tx", spec, file))
		assert.Equal(t, want, ok(t, latin, "exec", "--tx", spec, "-"))
		assert.Equal(t, want, ok(t, "\xef\xbb\xbfchannel.send(u'ä')", "exec", "--tx", spec, "-"))
	}
	assert.Equal(t, result{code: 1, stderr: "execnet exec: <stdin>, line 2: the byte 0xe4 is not UTF-8, and no encoding is declared; " +
		"save the file as UTF-8, or declare its encoding in the first line, such as # coding: latin-1\n"}, inProcess("\nx = '\xe4'", "exec", "-"))
	utf16 := filepath.Join(folder, "utf16.py")
	require.NoError(t, os.WriteFile(utf16, []byte("\xff\xfex\x00"), 0o600))
	assert.Equal(t, result{code: 1, stderr: "execnet exec: " + utf16 + ": it is UTF-16 or UTF-32 text, which Python does not read; save it as UTF-8\n"},
		inProcess("", "exec", utf16))
}

func TestExecHints(t *testing.T) {
	assert.Equal(t, result{code: 1, stderr: `execnet exec: there is no file "channel.send(1)"; to run that as source, write -c in front of it` + "\n"},
		inProcess("", "exec", "channel.send(1)"))
	_, err := os.Open("nofile.py")
	assert.Equal(t, result{code: 1, stderr: "execnet exec: " + err.Error() + "\n"}, inProcess("", "exec", "nofile.py"))
	assert.Equal(t, `{"gateway": "gw0", "item": 1}`+"\n", ok(t, "", "exec", "--timeout", "60", "-c", "channel.send(1)"))
	r := execnet(t, "", "exec", "--timeout", "0.2", "-c", "while 1: pass")
	assert.Equal(t, 124, r.code)
	assert.Contains(t, r.stderr, "execnet exec: not done after 200ms (--timeout)")
}
