package gatewayio

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/xspec"
)

func parseSpec(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	spec, err := xspec.Parse(text)
	require.NoError(t, err)
	return spec
}

// open opens the pipe of a spec with an Opener's defaults.
func open(t *testing.T, text string) (gatewaybase.IO, error) {
	t.Helper()
	return new(Opener).Open(within.Soon(t), parseSpec(t, text))
}

// endPipe kills the far end of a pipe and waits until nothing of it is left.
func endPipe(t *testing.T, pipe gatewaybase.IO) {
	t.Helper()
	assert.NoError(t, pipe.Kill())
	assert.NoError(t, pipe.Wait(within.Soon(t)))
	assert.NoError(t, pipe.CloseRead())
}

// TestPopenBootstrapLine sends each CPython a program through the bootstrap line and reads what it
// answers.
func TestPopenBootstrapLine(t *testing.T) {
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			t.Parallel()
			var stderr bytes.Buffer
			opener := &Opener{Stderr: &stderr}
			p, err := opener.Open(within.Soon(t), parseSpec(t, python.Spec()+"//dont_write_bytecode"))
			require.NoError(t, err)
			defer endPipe(t, p)
			_, err = p.Write([]byte(`"import sys\nsys.stdout.write('%d.%d %d' % (sys.version_info[0], sys.version_info[1], sys.flags.dont_write_bytecode))\nsys.stderr.write('bye')\nsys.exit(3)"` + "\n"))
			require.NoError(t, err)
			answer, err := io.ReadAll(p)
			require.NoError(t, err)
			assert.Equal(t, python.Version()+" 1", string(answer))

			require.NoError(t, p.Wait(within.Soon(t)))
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

func TestStartErrors(t *testing.T) {
	noProgram := filepath.Join(t.TempDir(), "data.txt")
	require.NoError(t, os.WriteFile(noProgram, []byte("hello"), 0o644))
	otherKind := pythons.Program(t, t.TempDir(), "python", "\x7fELF of another processor")
	for _, test := range []struct {
		text string
		is   error
		says string
	}{
		{"popen//python=no-such-python", exec.ErrNotFound, `cannot start "no-such-python" (python= in the spec): executable file not found in $PATH; check the spelling`},
		{"popen//python=/no/such/python", fs.ErrNotExist, `cannot start "/no/such/python" (python= in the spec): no such file or directory; check`},
		{"popen//python=" + noProgram, fs.ErrPermission, "may be executed"},
		{"popen//python=" + t.TempDir(), nil, "; it is a folder"},
		{"popen//python=" + otherKind, nil, "; it is a program for another kind of processor, or a script without a first line such as #!/bin/sh"},
		{"popen//python='half", nil, `cannot start "'half" (python= in the spec): Unterminated single-quoted string`},
		{"popen//python= ", exec.ErrNotFound, "empty command line (python= in the spec)"},
	} {
		_, err := open(t, test.text)
		var failed *StartError
		require.ErrorAs(t, err, &failed, test.text)
		assert.ErrorContains(t, err, test.says)
		if test.is != nil {
			assert.ErrorIs(t, err, test.is)
		}
	}
	t.Setenv("EXECNET_PYTHON", "no-such-python -E")
	_, err := open(t, "popen")
	assert.ErrorContains(t, err, `cannot start "no-such-python" (from EXECNET_PYTHON)`)
}
