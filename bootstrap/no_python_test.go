package bootstrap

import (
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/xspec"
)

// How the shells of hosts say that they do not find the interpreter.
func TestPythonNotFoundTexts(t *testing.T) {
	for _, test := range []struct {
		python string
		code   int
		stderr string
		says   string
	}{
		{"python9", 127, "sh: 1: python9: not found\n", "sh: 1: python9: not found"},
		{"python9", 127, "bash: line 1: python9: command not found\n", "bash: line 1: python9: command not found"},
		{"python9", 127, "motd\nbash: line 1: python9: command not found\n", "bash: line 1: python9: command not found"},
		{"python9", 127, "zsh:1: command not found: python9\n", "zsh:1: command not found: python9"},
		{"python9", 127, "fish: Unknown command: python9\nfish: \npython9 -u\n^~~~~^\n", "fish: Unknown command: python9"},
		{"python9", 1, "python9: Command not found.\n", "python9: Command not found."},
		{"/opt/py/bin/python", 127, "sh: 1: /opt/py/bin/python: not found\n", "sh: 1: /opt/py/bin/python: not found"},
		{"python9", 127, "", ""},
		{"sudo -n python9", 1, "sudo: python9: command not found\n", "sudo: python9: command not found"},
		{"python9", 1, "'python9' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
			"'python9' is not recognized as an internal or external command,"},
		{"python9", 1, "python9 : The term 'python9' is not recognized as the name of a cmdlet\r\n",
			"python9 : The term 'python9' is not recognized as the name of a cmdlet"},
		{"python", 9009, "Python was not found; run without arguments to install from the Microsoft Store\r\n",
			"Python was not found; run without arguments to install from the Microsoft Store"},
		{"", 1, "'sh' is not recognized as an internal or external command,\r\n", "'sh' is not recognized as an internal or external command,"},
		{"", 127, "sh: 1: exec: python: not found\n", "sh: 1: exec: python: not found"},
	} {
		failed := &Error{Spec: &xspec.Spec{SSH: "box", Python: test.python}, Err: io.EOF, Exit: gatewaybase.Exit{Known: true, Code: test.code, Stderr: test.stderr}}
		var missing *gatewayio.PythonNotFoundError
		require.ErrorAs(t, pythonNotFound(failed, "box"), &missing, "%+v", test)
		assert.Equal(t, "box", missing.Host)
		assert.Equal(t, test.says, missing.Says)
		if test.python == "" {
			assert.ErrorContains(t, missing, "execnet: no Python found on box: there is no python3 or python")
		} else {
			assert.Equal(t, []string{test.python}, missing.Tried)
		}
		var start *Error
		assert.ErrorAs(t, missing, &start)
	}
	for _, failed := range []*Error{
		{Err: io.EOF, Exit: gatewaybase.Exit{Known: true, Code: 1, Stderr: "Traceback\nModuleNotFoundError: No module named 'encodings'\n"}},
		{Err: io.EOF, Exit: gatewaybase.Exit{Known: true, Code: 1, Stderr: "modprobe: command not found\n"}},
		{Err: io.EOF, Exit: gatewaybase.Exit{Known: true, Code: 127, Stderr: "execnet sshserver: \"ls\" is not the command line of an execnet driver\n"}},
		{Err: io.EOF, Exit: gatewaybase.Exit{Known: true, Code: 0, Stderr: "python9: command not found\n"}},
		{Err: errors.New("timeout"), Exit: gatewaybase.Exit{Known: true, Code: 127}},
		{Err: io.EOF},
		{Got: []byte("x"), Exit: gatewaybase.Exit{Known: true, Code: 127}},
	} {
		failed.Spec = &xspec.Spec{SSH: "box", Python: "python9"}
		assert.NoError(t, pythonNotFound(failed, "box"), "%+v", failed)
	}
}
