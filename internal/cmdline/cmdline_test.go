package cmdline

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

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

func TestPython(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	for text, want := range map[string][]string{
		"popen//self":                                      {program, "-u", "-c", BootstrapLine},
		"popen//python=python3":                            {"python3", "-u", "-c", BootstrapLine},
		"popen//python=docker exec -i box python3":         {"docker", "exec", "-i", "box", "python3", "-u", "-c", BootstrapLine},
		"popen//python='my py' -E//dont_write_bytecode":    {"my py", "-E", "-u", "-B", "-c", BootstrapLine},
		"popen//python=py//dont_write_bytecode=no//nice=3": {"py", "-u", "-c", BootstrapLine},
	} {
		argv, _, err := Python(parse(t, text))
		require.NoError(t, err)
		assert.Equal(t, want, argv, text)
	}
}

func TestSplit(t *testing.T) {
	argv, err := split(`"C:\Program Files\Python\python.exe" -E D:\x`, true)
	require.NoError(t, err)
	assert.Equal(t, []string{"C:/Program Files/Python/python.exe", "-E", "D:/x"}, argv)
	argv, err = split(`my\ python 'a\b'`, false)
	require.NoError(t, err)
	assert.Equal(t, []string{"my python", `a\b`}, argv)
}

func TestPathsWithBlanks(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "Program Files")
	require.NoError(t, os.Mkdir(folder, 0o700))
	python := pythons.Program(t, folder, "python's.exe", "")
	argv, _, err := Python(parse(t, "popen//python="+python))
	require.NoError(t, err)
	assert.Equal(t, []string{python, "-u", "-c", BootstrapLine}, argv)

	missing := filepath.Join(folder, "other.exe")
	argv, source, err := Python(parse(t, "popen//python="+missing+" -E"))
	require.NoError(t, err)
	before, _, _ := strings.Cut(missing, " ")
	assert.Equal(t, filepath.ToSlash(before), filepath.ToSlash(argv[0]), "it may be a command of several words")
	_, err = exec.Command(argv[0]).Output()
	assert.ErrorContains(t, &StartError{Args: argv, Source: source, Err: err},
		`give the program's full path; a path with blanks needs quotes: "`+filepath.ToSlash(missing)+`"`)
	assert.NotContains(t, (&StartError{Args: []string{"/no", "-u"}, Err: exec.ErrNotFound}).Error(), "quotes")
	assert.NotContains(t, (&StartError{Args: []string{"docker", "exec"}, Err: exec.ErrNotFound}).Error(), "quotes")
}

func TestPythonIsFound(t *testing.T) {
	bin := t.TempDir()
	program := func(name string) string {
		return pythons.Program(t, bin, name, "#!/bin/sh\n")
	}
	t.Setenv("PATH", bin)
	t.Setenv("EXECNET_PYTHON", "")

	_, _, err := Python(parse(t, "popen"))
	var notFound *PythonNotFoundError
	require.ErrorAs(t, err, &notFound)
	assert.Equal(t, []string{"python3", "python"}, notFound.Tried)
	assert.ErrorContains(t, err, "set EXECNET_PYTHON")

	python := program("python")
	argv, _, err := Python(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, python, argv[0])

	python3 := program("python3")
	argv, _, err = Python(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, python3, argv[0])

	t.Setenv("EXECNET_PYTHON", "'the python' -E")
	argv, _, err = Python(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, []string{"the python", "-E", "-u", "-c", BootstrapLine}, argv)

	argv, _, err = Python(parse(t, "popen//python=other"))
	require.NoError(t, err)
	assert.Equal(t, "other", argv[0])
}

func TestRemote(t *testing.T) {
	const line = `-c "import sys;exec(eval(sys.stdin.readline()))"`
	assert.Equal(t, "python2.7 -u "+line, Remote(nil, &xspec.Spec{Python: "python2.7"}))
	assert.Equal(t, "sudo -n python3 -u -B "+line, Remote([]string{"sudo", "-n"}, &xspec.Spec{Python: "python3", DontWriteBytecode: true}))
	assert.Contains(t, Remote(nil, &xspec.Spec{}), line)
}

func TestOpenSSH(t *testing.T) {
	argv, err := OpenSSH(&xspec.Spec{SSH: "-p 5000 'me'@host", SSHConfig: "cfg", Python: "python3"})
	require.NoError(t, err)
	assert.Equal(t, []string{"ssh", "-C", "-F", "cfg", "-p", "5000", "me@host", `python3 -u -c "import sys;exec(eval(sys.stdin.readline()))"`}, argv)
	argv, err = OpenSSH(&xspec.Spec{VagrantSSH: "box", SSHConfig: "cfg", Python: "python3"})
	require.NoError(t, err)
	assert.Equal(t, []string{"vagrant", "ssh", "box", "--", "-C", "-F", "cfg", `python3 -u -c "import sys;exec(eval(sys.stdin.readline()))"`}, argv)
	_, err = OpenSSH(&xspec.Spec{SSH: "'host"})
	assert.Error(t, err)
}
