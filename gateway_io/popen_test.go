package gatewayio

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

func parse(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	spec, err := xspec.Parse(text)
	require.NoError(t, err)
	return spec
}

// TestPopenBootstrapLine sends each CPython a program through the bootstrap line and reads what it
// answers.
func TestPopenBootstrapLine(t *testing.T) {
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			p, err := Popen(parse(t, python.Spec()+"//dont_write_bytecode"), &stderr)
			require.NoError(t, err)
			defer end(t, p)
			_, err = p.Write([]byte(`"import sys\nsys.stdout.write('%d.%d %d' % (sys.version_info[0], sys.version_info[1], sys.flags.dont_write_bytecode))\nsys.stderr.write('bye')\nsys.exit(3)"` + "\n"))
			require.NoError(t, err)
			answer, err := io.ReadAll(p)
			require.NoError(t, err)
			assert.Equal(t, python.Version()+" 1", string(answer))

			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			require.NoError(t, p.Wait(ctx))
			exit := p.Exit()
			assert.True(t, exit.Known)
			assert.Equal(t, 3, exit.Code)
			assert.Nil(t, exit.Signal)
			assert.Equal(t, "bye", exit.Stderr)
			assert.Equal(t, "bye", stderr.String())
			assert.Empty(t, p.RemoteAddress())
		})
	}
}

func TestPopenArgs(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	for text, want := range map[string][]string{
		"popen//self":                                      {program, "-u", "-c", BootstrapLine},
		"popen//python=python3":                            {"python3", "-u", "-c", BootstrapLine},
		"popen//python=docker exec -i box python3":         {"docker", "exec", "-i", "box", "python3", "-u", "-c", BootstrapLine},
		"popen//python='my py' -E//dont_write_bytecode":    {"my py", "-E", "-u", "-B", "-c", BootstrapLine},
		"popen//python=py//dont_write_bytecode=no//nice=3": {"py", "-u", "-c", BootstrapLine},
	} {
		argv, err := PopenArgs(parse(t, text))
		require.NoError(t, err)
		assert.Equal(t, want, argv, text)
	}
}

func TestSplitCommand(t *testing.T) {
	argv, err := splitCommand(`"C:\Program Files\Python\python.exe" -E D:\x`, true)
	require.NoError(t, err)
	assert.Equal(t, []string{"C:/Program Files/Python/python.exe", "-E", "D:/x"}, argv)
	argv, err = splitCommand(`my\ python 'a\b'`, false)
	require.NoError(t, err)
	assert.Equal(t, []string{"my python", `a\b`}, argv)
}

func TestPopenFindsPython(t *testing.T) {
	bin := t.TempDir()
	program := func(name string) string {
		return pythons.Program(t, bin, name, "#!/bin/sh\n")
	}
	t.Setenv("PATH", bin)
	t.Setenv("EXECNET_PYTHON", "")

	_, err := Popen(parse(t, "popen"), nil)
	var notFound *PythonNotFoundError
	require.ErrorAs(t, err, &notFound)
	assert.Equal(t, []string{"python3", "python"}, notFound.Tried)
	assert.ErrorContains(t, err, "set EXECNET_PYTHON")

	python := program("python")
	argv, err := PopenArgs(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, python, argv[0])

	python3 := program("python3")
	argv, err = PopenArgs(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, python3, argv[0])

	t.Setenv("EXECNET_PYTHON", "'the python' -E")
	argv, err = PopenArgs(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, []string{"the python", "-E", "-u", "-c", BootstrapLine}, argv)

	argv, err = PopenArgs(parse(t, "popen//python=other"))
	require.NoError(t, err)
	assert.Equal(t, "other", argv[0])
}

func TestStartErrors(t *testing.T) {
	noProgram := filepath.Join(t.TempDir(), "data.txt")
	require.NoError(t, os.WriteFile(noProgram, []byte("hello"), 0o644))
	for _, test := range []struct {
		text string
		is   error
		says string
	}{
		{"popen//python=no-such-python", exec.ErrNotFound, `cannot start "no-such-python" (python= in the spec): executable file not found in $PATH; check the spelling`},
		{"popen//python=/no/such/python", fs.ErrNotExist, `cannot start "/no/such/python" (python= in the spec): no such file or directory; check`},
		{"popen//python=" + noProgram, fs.ErrPermission, "may be executed"},
		{"popen//python='half", nil, `cannot start "'half" (python= in the spec): Unterminated single-quoted string`},
		{"popen//python= ", exec.ErrNotFound, "empty command line (python= in the spec)"},
	} {
		_, err := Popen(parse(t, test.text), nil)
		var failed *StartError
		require.ErrorAs(t, err, &failed, test.text)
		assert.ErrorContains(t, err, test.says)
		if test.is != nil {
			assert.ErrorIs(t, err, test.is)
		}
	}
	t.Setenv("EXECNET_PYTHON", "no-such-python -E")
	_, err := Popen(parse(t, "popen"), nil)
	assert.ErrorContains(t, err, `cannot start "no-such-python" (from EXECNET_PYTHON)`)
	_, err = Start(nil, nil, nil)
	assert.ErrorContains(t, err, "empty command line")
}
