package command

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// analysis writes a package to a folder, which it returns.
func analysis(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"analysis/__init__.py": "from .values import *\n",
		"analysis/values.py": `
def echo(*args, **kwargs):
    return [list(args), kwargs]

def special():
    return [(1, 2), {3}, b"\0" if str is not bytes else bytearray(1), float("nan"), 2 ** 70, {1: None}]

def fail(n):
    return 1 // n  # here

def stop(code):
    raise SystemExit(code)

def give(what):
    return object() if what == "object" else __import__("time").sleep(60)

def count(n, then=None):
    for i in range(n):
        yield i, [i]
    if then:
        raise ValueError(then)

def listed(n):
    return list(count(n))
`,
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	return root
}

func TestCall(t *testing.T) {
	assert.Equal(t, "6\n", ok(t, "", "call", "math.gcd", "42", "30"))
	assert.Equal(t, "5.0\n", ok(t, "", "call", "math.fabs", "-5"))
	root := analysis(t)
	args, positional, named := []string{"call", "--import", root, "analysis.echo"}, []string{}, []string{}
	for arg, want := range map[string]string{
		"5": "5", "-0.5": "-0.5", "true": "true", "True": "true", "null": "null", "None": "null", `"5"`: `"5"`, "'a=b'": `"a=b"`,
		"text": `"text"`, "two words": `"two words"`, "": `""`, "[1, true]": "[1, true]", "(1, 'a')": `[1, "a"]`, "b'x'": `{"__bytes__": "eA=="}`,
		`{"__set__": [1]}`: `{"__set__": [1]}`, `{"__float__": "nan"}`: `{"__float__": "nan"}`, "{'a': 1}": `{"a": 1}`, "--flag": `"--flag"`,
		strings.Repeat("9", 40): strings.Repeat("9", 40), strings.Repeat("9", 5000): `"` + strings.Repeat("9", 5000) + `"`, "é": `"é"`, "1=2": `"1=2"`,
	} {
		key := fmt.Sprintf("key%02d", len(named))
		args = append(args, arg, key+"="+arg)
		positional, named = append(positional, want), append(named, `"`+key+`": `+want)
	}
	assert.Equal(t, "[["+strings.Join(positional, ", ")+"], {"+strings.Join(named, ", ")+"}]\n", ok(t, "", args...))
}

func TestCallEveryPython(t *testing.T) {
	root := analysis(t)
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			assert.Equal(t, `[[1, 2], {"__set__": [3]}, {"__bytes__": "AA=="}, {"__float__": "nan"}, 1180591620717411303424, {"__dict__": [[1, null]]}]`+"\n",
				ok(t, "", "call", "--tx", p.Spec(), "--import", root, "analysis.special"))
		})
	}
}

func TestCallSeveral(t *testing.T) {
	out := strings.Split(ok(t, "", "call", "--tx", "2*popen", "--tx", "popen//id=last", "math.sqrt", "4"), "\n")
	slices.Sort(out)
	assert.Equal(t, []string{"", `{"gateway": "gw0", "result": 2.0}`, `{"gateway": "gw1", "result": 2.0}`, `{"gateway": "last", "result": 2.0}`}, out)
}

// TestCallOfIterators prints each item on a line of its own, and of lists one line.
func TestCallOfIterators(t *testing.T) {
	root := analysis(t)
	for _, tx := range []string{"popen", "popen//self//engine=cpython", "popen//python=" + pythons.WithExecnet(t) + "//bootstrap=import"} {
		call := []string{"call", "--tx", tx, "--import", root}
		assert.Equal(t, "[0, [0]]\n[1, [1]]\n", ok(t, "", append(call, "analysis.count", "2")...))
		assert.Empty(t, ok(t, "", append(call, "analysis.count", "0")...))
		assert.Equal(t, "[[0, [0]], [1, [1]]]\n", ok(t, "", append(call, "analysis.listed", "2")...))
		r := execnet(t, "", append(call, "analysis.count", "2", "then=here")...)
		assert.Equal(t, 1, r.code)
		assert.Equal(t, "[0, [0]]\n[1, [1]]\n", r.stdout)
		assert.Contains(t, r.stderr, "[gw0] ValueError: here\n")
	}
	out := strings.Split(ok(t, "", "call", "--tx", "2*popen", "--import", root, "analysis.count", "1"), "\n")
	slices.Sort(out)
	assert.Equal(t, []string{"", `{"gateway": "gw0", "result": [0, [0]]}`, `{"gateway": "gw1", "result": [0, [0]]}`}, out)
	r := execnet(t, "", "call", "--import", root, "builtins.iter", "[1, {'__set__': 1}]")
	assert.Equal(t, result{stdout: "1\n{\"__dict__\": [[\"__set__\", 1]]}\n"}, r)
}

// TestCallOfWhatIsNoFunction says what is missing.
func TestCallOfWhatIsNoFunction(t *testing.T) {
	for _, tx := range []string{"popen", "popen//python=" + pythons.WithExecnet(t) + "//bootstrap=import"} {
		for function, want := range map[string]string{
			"math":                "AttributeError: no builtin is named 'math'; of a module, name what to call: 'math.NAME'",
			"os.path":             "TypeError: os.path is a module; name what to call in it: 'os.path.NAME'",
			"math.pi":             "TypeError: math.pi is no function: 'float' object is not callable",
			"no_such_module.f":    "ModuleNotFoundError: No module named 'no_such_module'",
			"math.no_such_name":   "AttributeError: module 'math' has no attribute 'no_such_name'",
			"os.path.no_such.way": "has no attribute 'no_such'",
		} {
			r := execnet(t, "", "call", "--tx", tx, function)
			assert.Equal(t, 1, r.code)
			assert.Contains(t, r.stderr, want+"\n", function)
		}
	}
}

func TestCallFails(t *testing.T) {
	root := analysis(t)
	r := execnet(t, "", "call", "--import", root, "analysis.fail", "0")
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
	assert.Contains(t, r.stderr, "[gw0]   File \"<driver>/analysis/values.py\", line 9, in fail\n[gw0]     return 1 // n  # here\n")
	assert.Equal(t, result{code: 3}, execnet(t, "", "call", "--import", root, "analysis.stop", "3"))
	assert.Equal(t, result{code: 1, stderr: "[gw0] text\n"}, execnet(t, "", "call", "--import", root, "analysis.stop", "text"))

	r = execnet(t, "", "call", "--import", root, "analysis.give", "object")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "cannot be sent")
	assert.Equal(t, 124, execnet(t, "", "call", "--timeout", "1", "--import", root, "analysis.give", "time").code)

	r = execnet(t, "", "call", "--tx", "popen", "--tx", "popen//python=no-such-python", "math.sqrt", "4")
	assert.Equal(t, 1, r.code)
	assert.Empty(t, r.stdout)
	r = execnet(t, "", "call", "--keep-going", "--tx", "popen", "--tx", "popen//python=no-such-python", "math.sqrt", "4")
	assert.Equal(t, 1, r.code)
	assert.Equal(t, `{"gateway": "gw0", "result": 2.0}`+"\n", r.stdout)
	assert.Contains(t, r.stderr, "no-such-python")
}

func TestCallUsage(t *testing.T) {
	for want, args := range map[string][]string{
		"nothing to call":                     {"call"},
		`"a b" is not the name of a function`: {"call", "a b"},
		"another value for x already":         {"call", "a.b", "x=1", "x=2"},
		"unknown flag: --nothing":             {"call", "--nothing", "a.b"},
	} {
		r := execnet(t, "", args...)
		assert.Equal(t, exitUsage, r.code, want)
		assert.Contains(t, r.stderr, want)
	}
	missing := filepath.Join(t.TempDir(), "missing")
	for _, args := range [][]string{{"call", "--import", missing, "a.b"}, {"exec", "--import", missing, "-c", "1"}} {
		r := execnet(t, "", args...)
		assert.Equal(t, exitFailure, r.code)
		assert.Contains(t, r.stderr, "--import: ")
		assert.Contains(t, r.stderr, missing)
	}
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	assert.Contains(t, execnet(t, "", "call", "--import", file, "a.b").stderr, "is no folder")
}

// TestExecImport: all gateways import from all folders, the first before the second.
func TestExecImport(t *testing.T) {
	first, second := analysis(t), t.TempDir()
	for name, text := range map[string]string{"analysis.py": "1/0\n", "other.py": "NAME = 'other'\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(second, name), []byte(text), 0o644))
	}
	out := ok(t, "", "exec", "--tx", "2*popen", "--tx", "popen//via=gw0//id=last", "--import", first, "--import", second,
		"-c", "import analysis, other\nchannel.send(analysis.echo(other.NAME))")
	assert.Equal(t, map[string][]string{"gw0": {`[["other"], {}]`}, "gw1": {`[["other"], {}]`}, "last": {`[["other"], {}]`}}, lines(t, out))
	// The engine of this test's workers is gpython.
	r := execnet(t, "", "exec", "--tx", "popen//self", "--import", first, "-c", "import analysis")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "gpython imports nothing from the driver")
	assert.Equal(t, "[[1], {}]\n", ok(t, "", "call", "--tx", "popen//self//engine=cpython", "--import", first, "analysis.echo", "1"))
}

// TestTooManyDigits: an int that a channel does not take is text to exec's function, too.
func TestTooManyDigits(t *testing.T) {
	digits := strings.Repeat("9", 5000)
	assert.Equal(t, `{"gateway": "gw0", "item": "`+digits+`"}`+"\n", ok(t, "", "exec", "--arg", "n="+digits, "-c", "def f(channel, n): channel.send(n)"))
}
