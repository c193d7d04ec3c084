package cmdline

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

// TestRemoteHasWhatAStartNeeds: what an interpreter reads when it starts stands in the command
// line, and nothing else, as the host's users can read that.
func TestRemoteHasWhatAStartNeeds(t *testing.T) {
	command := func(env map[string]string) string {
		return Remote([]string{"nice"}, &xspec.Spec{SSH: "host", Python: "py", Env: env})
	}
	without := `nice py -u -c "` + BootstrapLine + `"`
	assert.Equal(t, without, command(nil))
	assert.Equal(t, without, command(map[string]string{"TOKEN": "secret", "PATH": "/opt", "PYTHON PATH": "x", "LC_`id`": "x", "": "x", "MYPYTHON": "x"}))
	assert.Equal(t, `nice env LANG=C.UTF-8 LD_LIBRARY_PATH=/opt/lib:/lib PYTHONPATH= py -u -c "`+BootstrapLine+`"`,
		command(map[string]string{"PYTHONPATH": "", "TOKEN": "secret", "LD_LIBRARY_PATH": "/opt/lib:/lib", "LANG": "C.UTF-8"}))
	assert.Equal(t, `nice sh -c 'PYTHONHOME=$(printf %b "/opt/my\0040pyx"); PYTHONHOME=${PYTHONHOME%x}; export PYTHONHOME; `+
		`PYTHONUTF8=$(printf %b "1x"); PYTHONUTF8=${PYTHONUTF8%x}; export PYTHONUTF8; exec "$@"' sh py -u -c "`+BootstrapLine+`"`,
		command(map[string]string{"PYTHONHOME": "/opt/my py", "PYTHONUTF8": "1"}))
	for _, env := range []map[string]string{nil, {"PYTHONPATH": "/x"}, {"PYTHONPATH": "it's", "LANG": "C"}} {
		assert.NotContains(t, CutEnv(command(env)), "printf")
	}
	odd := command(map[string]string{"PYTHONPATH": "it's", "LANG": "C"})
	assert.Equal(t, without, CutEnv(odd))
	assert.Equal(t, strings.Replace(odd, "0047", "0047$(id)", 1), CutEnv(strings.Replace(odd, "0047", "0047$(id)", 1)), "another script")
}

// TestEnvThroughEveryShell has the shells that are installed pass values on to an interpreter.
func TestEnvThroughEveryShell(t *testing.T) {
	shells := [][]string{{"sh"}}
	for _, name := range []string{"bash", "dash", "zsh", "csh", "tcsh", "fish", "busybox"} {
		if _, err := exec.LookPath(name); err == nil {
			shells = append(shells, []string{name})
		}
	}
	values := []string{
		"", "/opt/lib:/usr/lib", "a b", "it's", `say "hi"`, "!x !! !$", `back\slash \n \\ \0101`, "$HOME ${x} `id` $(id)", "line\nend\n\n",
		"é€🐍", "~/x", "%d %s%%", "a;b|c&d<e>f(g)h{i}j[k]l*m?n#o", "-n", "=", "\t tab",
	}
	env := make(map[string]string)
	var want []string
	for i, value := range values {
		name := fmt.Sprintf("PYTHON_TESTED_%d", i)
		env[name] = value
		want = append(want, pystring.ASCII(name)+": "+pystring.ASCII(value))
	}
	check := "import os; want = {" + strings.Join(want, ", ") + "}; got = dict((name, os.environ.get(name)) for name in want); assert got == want, got"
	python := pythons.Default(t).Path
	for _, shell := range shells {
		t.Run(shell[0], func(t *testing.T) {
			if shell[0] == "busybox" {
				shell = append(shell, "sh")
			}
			for _, named := range []string{python, ""} {
				cmd := exec.Command(shell[0], append(shell[1:], "-c", Remote(nil, &xspec.Spec{SSH: "host", Python: named, Env: env}))...)
				cmd.Stdin = strings.NewReader(pystring.ASCII(check) + "\n")
				cmd.Env = append(cmd.Environ(), "PYTHONUTF8=1")
				said, err := cmd.CombinedOutput()
				require.NoError(t, err, "%s", said)
			}
		})
	}
}

func TestEnviron(t *testing.T) {
	t.Setenv("TESTED", "before")
	assert.Nil(t, Environ(nil, nil))
	assert.Contains(t, Environ(nil, map[string]string{"A": "1"}), "TESTED=before")
	assert.Equal(t, []string{"X=y", "A=1", "B=2"}, Environ([]string{"X=y"}, map[string]string{"B": "2", "A": "1"}))
}
