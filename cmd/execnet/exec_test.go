package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
	assert.Empty(t, ok(t, "", "exec", "-c", "print('nobody sees that')"))
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
	assert.Equal(t, result{stderr: "execnet exec: not done after 700ms (--timeout)\n", code: 124}, r)
	assert.Equal(t, `{"gateway": "gw0", "item": 1}`+"\n", ok(t, "", "exec", "--timeout", "1m", "-c", "channel.send(1)"))
}

// A python that never answers does not outlive the time limit either.
func TestExecTimeoutAtStart(t *testing.T) {
	python := strings.ReplaceAll(pythons.Default(t).Path, `\`, "/")
	r := execnet(t, "", "exec", "--timeout", "700ms", "-c", "pass", "--tx", "popen//python="+python+" -c 'import time; time.sleep(100)'")
	assert.Equal(t, result{stderr: "execnet exec: not done after 700ms (--timeout)\n", code: 124}, r)
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

	r := execnet(t, "", "info", "popen//python=no-such-python", "popen//id=x")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stdout, "x  popen//id=x\n  interpreter  ")
	assert.Contains(t, r.stderr, "[gw0] cannot start popen//python=no-such-python")
}
