package command

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// withoutPython runs the program where it finds no Python.
func withoutPython(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	env := append(os.Environ(), "PATH="+t.TempDir(), "EXECNET_PYTHON=", "EXECNET_ENGINE=")
	return execnetIn(t, env, stdin, args...)
}

// withPython lets workers find one Python, and choose.
func withPython(t *testing.T) {
	t.Helper()
	t.Setenv("EXECNET_PYTHON", "'"+pythons.Default(t).Path+"'")
	t.Setenv("EXECNET_ENGINE", "")
}

// wherever sends which engine it runs in: gpython is a Python 3.4.
const wherever = `import sys; channel.send("gpython" if sys.version_info[:2] == (3, 4) else "CPython")`

// glue is a program that gpython does exactly as CPython.
const glue = `channel.send(len(channel.receive()))`

func TestEngineIsChosen(t *testing.T) {
	withPython(t)
	for _, test := range []struct{ spec, variable, want string }{
		{"popen//self", "", "CPython"},
		{"popen//self", "gpython", "gpython"},
		{"popen//self//engine=gpython", "cpython", "gpython"},
		{"popen//self//engine=cpython", "gpython", "CPython"},
		{"popen//python=" + binary + " --engine gpython", "cpython", "gpython"},
		{"popen//python=" + binary + " worker --engine=cpython", "gpython", "CPython"},
		{"popen//python=" + binary + " --engine cpython//engine=gpython", "", "gpython"},
		{"popen//self//env:EXECNET_ENGINE=gpython", "", "gpython"},
	} {
		t.Setenv("EXECNET_ENGINE", test.variable)
		got := execnet(t, "", "exec", "--tx", test.spec, "-c", wherever)
		assert.Equal(t, `{"gateway": "gw0", "item": "`+test.want+"\"}\n", got.stdout, "%+v: %s", test, got.stderr)
	}
}

// The trace says where each program runs, and why. Once one has needed CPython, all do.
func TestTraceSaysWhichEngine(t *testing.T) {
	withPython(t)
	t.Setenv("EXECNET_DEBUG", "2")
	got := execnet(t, "", "exec", "--tx", "popen//self", "--send", `"abc"`, "-c", glue)
	assert.Contains(t, got.stderr, "channel 1 runs in gpython: it does all of this program as CPython does\n")
	got = execnet(t, "", "exec", "--tx", "popen//self", "-c", "x = 1\nimport decimal")
	assert.Contains(t, got.stderr, "channel 1 runs in CPython: import decimal in line 2\n")
}

func TestWithoutCPython(t *testing.T) {
	got := withoutPython(t, "", "exec", "--tx", "popen//self", "--send", `"abc"`, "-c", glue)
	assert.Equal(t, "{\"gateway\": \"gw0\", \"item\": 3}\n", got.stdout, got.stderr)
	got = withoutPython(t, "", "exec", "--tx", "popen//self", "-c", "import decimal")
	assert.Equal(t, exitFailure, got.code)
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	assert.Contains(t, got.stderr, "ModuleNotFoundError: No module named 'decimal'")
	assert.Contains(t, lines[len(lines)-1], "A CPython would have run it, because of import decimal in line 1, but this Go worker has none: no python3 or python is on PATH; "+
		"install Python there, name one with EXECNET_PYTHON or the worker's option --python, or build the worker with one inside: import _ \"github.com/go-execnet/execnet/embedded\"")
	got = withoutPython(t, "", "exec", "--tx", "popen//self", "-c", "1 / 0")
	assert.NotContains(t, got.stderr, "A CPython", "it would do the same")
	got = withoutPython(t, "", "exec", "--tx", "popen//self//engine=gpython", "-c", "import decimal")
	assert.NotContains(t, got.stderr, "A CPython", "gpython was asked for")
	for _, source := range []string{"import decimal", "pass"} {
		got = withoutPython(t, "", "exec", "--tx", "popen//self//engine=cpython", "-c", source)
		assert.Equal(t, exitFailure, got.code)
		assert.Contains(t, got.stderr, "RuntimeError: this Go worker is to run Python source in CPython (engine=cpython in the spec), and there is none: no python3 or python is on PATH; install")
	}
}

func TestInfoOfEngines(t *testing.T) {
	withPython(t)
	info := func(run func(*testing.T, string, ...string) result, spec string) map[string]any {
		t.Helper()
		got := run(t, "", "info", "--json", spec)
		require.Zero(t, got.code, got.stderr)
		var m map[string]any
		require.NoError(t, json.Unmarshal([]byte(got.stdout), &m))
		return m
	}
	m := info(execnet, "popen")
	assert.NotContains(t, m, "engine", "of a Python")
	worker, err := os.Stat(binary)
	require.NoError(t, err)
	for spec, want := range map[string][3]string{
		"popen//self":                                   {"auto", "gpython for programs that it runs as CPython does", pythons.Default(t).Version()},
		"popen//self//engine=cpython":                   {"cpython", "engine=cpython in the spec", pythons.Default(t).Version()},
		"popen//python=" + binary + " --engine gpython": {"gpython", "--engine gpython", "3.4.0"},
	} {
		m := info(execnet, spec)
		assert.Equal(t, want[0], m["engine"], spec)
		assert.Contains(t, m["why"], want[1])
		assert.Contains(t, m["version"], want[2])
		file, err := os.Stat(m["worker"].(string))
		require.NoError(t, err)
		assert.True(t, os.SameFile(worker, file))
	}
	got := execnet(t, "", "info", "popen//self")
	assert.Contains(t, got.stdout, "  engine       auto: gpython for programs")

	m = info(withoutPython, "popen//self")
	assert.Equal(t, "gpython", m["engine"])
	assert.Contains(t, m["why"], "there is no CPython: no python3 or python is on PATH; install Python there")
	assert.Equal(t, "3.4.0", m["version"])
}

func TestServersRefuseAnUnknownEngine(t *testing.T) {
	for _, server := range []string{"socketserver", "sshserver"} {
		got := execnet(t, "", server, "--engine", "fast", "127.0.0.1:0")
		assert.Equal(t, exitUsage, got.code)
		assert.Contains(t, got.stderr, `--engine "fast": there is no such engine; it is one of auto, gpython, cpython`)
	}
}

// TestPythonsRefuseAnEngine has the key reach a Python, at the end of a pipe and of a connection.
func TestPythonsRefuseAnEngine(t *testing.T) {
	for _, specs := range [][]string{{"popen//engine=auto"}, {"popen//id=there", "socket//installvia=there//engine=auto"}} {
		args := []string{"exec", "-c", "pass"}
		for _, spec := range specs {
			args = append(args, "--tx", spec)
		}
		got := execnet(t, "", args...)
		assert.Equal(t, exitFailure, got.code)
		assert.Contains(t, got.stderr, "engine=auto is for Go workers, and this is Python "+pythons.Default(t).Version(), specs)
	}
}
