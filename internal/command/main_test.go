package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

// binary is the program that the tests run, as users do.
var binary string

func TestMain(m *testing.M) {
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "execnet-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(folder)
	binary = filepath.Join(folder, "execnet")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	if built := os.Getenv("EXECNET_TEST_PROGRAM"); built != "" {
		// Where there is no Go, as under wine.
		if binary, err = filepath.Abs(built); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	} else if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/execnet").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	// The tests are of the command, with workers in Go that run source by themselves. Tests of the
	// engines choose others.
	if os.Getenv("EXECNET_ENGINE") == "" {
		os.Setenv("EXECNET_ENGINE", "gpython")
	}
	// A process that ignores interrupts, as a shell's background jobs do, has children that ignore
	// them.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	return m.Run()
}

// result is how a run of the program ended.
type result struct {
	stdout, stderr string
	code           int
}

// execnet runs the program to its end.
func execnet(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	return execnetIn(t, append(os.Environ(), "EXECNET_PYTHON="+pythons.Default(t).Path), stdin, args...)
}

// execnetIn runs the program to its end in an environment.
func execnetIn(t *testing.T, env []string, stdin string, args ...string) result {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = env
	cmd.WaitDelay = 10 * time.Second
	cmd.Stdin = strings.NewReader(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exited *exec.ExitError
	if err != nil && !errors.As(err, &exited) {
		require.NoError(t, err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// inProcess is execnet for commands that start nothing, without starting a process for them.
func inProcess(stdin string, args ...string) result {
	var stdout, stderr bytes.Buffer
	code := run(args, strings.NewReader(stdin), &stdout, &stderr)
	return result{stdout.String(), stderr.String(), code}
}

// convert runs a command that starts nothing, which must succeed in silence, and returns its
// output.
func convert(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := inProcess(stdin, args...)
	require.Equal(t, result{stdout: r.stdout}, r)
	return r.stdout
}

// ok runs the program, which must succeed in silence, and returns its output.
func ok(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	r := execnet(t, stdin, args...)
	require.Equal(t, result{stdout: r.stdout}, r)
	return r.stdout
}

// line is one item as exec prints it.
type line struct {
	Gateway string          `json:"gateway"`
	Item    json.RawMessage `json:"item"`
}

func lines(t *testing.T, stdout string) map[string][]string {
	t.Helper()
	items := map[string][]string{}
	for text := range strings.Lines(stdout) {
		var l line
		require.NoError(t, json.Unmarshal([]byte(text), &l), text)
		items[l.Gateway] = append(items[l.Gateway], string(l.Item))
	}
	return items
}

func TestUsageErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f.py")
	require.NoError(t, os.WriteFile(file, []byte("pass"), 0o600))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"nonsense"}, `execnet: unknown command "nonsense"`},
		{[]string{"exec"}, "nothing to run: give -c SOURCE"},
		{[]string{"exec", "-c", "pass", "f.py"}, `"f.py" is one source too many`},
		{[]string{"exec", "a.py", "b.py"}, `"b.py" is a second one`},
		{[]string{"exec", "--nonsense"}, "unknown flag: --nonsense"},
		{[]string{"exec", "-c", "pass", "--tx", "0*popen"}, `--tx: "0*popen" asks for no gateway`},
		{[]string{"exec", "-c", "pass", "--tx", "2*popen//id=x"}, `leave id= away`},
		{[]string{"exec", "-c", "pass", "--send", "[1, 2 3]"}, "--send: , or ] expected\n[1, 2 3]\n      ^\nTry: execnet exec --help\n"},
		{[]string{"exec", "-c", "pass", "--arg", "x=1"}, "name the one to call with --call NAME"},
		{[]string{"exec", file, "--arg", "5=1"}, `--arg "5=1": it must be NAME=VALUE`},
		{[]string{"exec", file, "--arg", "x"}, `--arg "x": it must be NAME=VALUE`},
		{[]string{"exec", file, "--arg", "x=1", "--arg", "x=2"}, `--arg "x=2": the function gets another value for x already`},
		{[]string{"exec", file, "--arg", "channel=1"}, "another value for channel already"},
		{[]string{"exec", file, "--timeout", "soon"}, "it is no length of time: write a number of seconds, or a number with a unit, such as 300ms, 30s or 5m"},
		{[]string{"exec", file, "--timeout", "NaN"}, "--timeout"},
		{[]string{"exec", file, "--timeout", "1e300"}, "1e300 seconds are too many"},
		{[]string{"exec", file, "--timeout", "-5"}, "--timeout -5s: it cannot be negative"},
		{[]string{"exec", "--", file}, "nothing to run: give -c SOURCE"},
		{[]string{"exec", "-c", "pass", "f.py", "--", "x"}, `"f.py" is one source too many (arguments for the source stand behind --)`},
		{[]string{"exec", file, "--timeout", "-5s"}, "--timeout -5s: it cannot be negative"},
		{[]string{"info", "popen//popen"}, `"popen"`},
		{[]string{"info", "popen//env:HTTP_PROXY=http://proxy:3128"}, `write "//" there as "env%:HTTP_PROXY=...%2F%2F..."`},
		{[]string{"info", "popen//pyton=python2.7"}, `key "pyton": it is unknown; did you mean "python"?`},
		{[]string{"info", "--env", "A"}, `--env "A": it must be NAME=VALUE`},
		{[]string{"exec", "-c", "pass", "--tx", "popen//pyton=python2.7"}, `did you mean "python"?`},
		{[]string{"exec", "-c", "pass", "--env", "A"}, `--env "A": it must be NAME=VALUE`},
		{[]string{"info", "--timeout", "-5s"}, "--timeout -5s: it cannot be negative"},
		{[]string{"dumps", "x"}, `execnet dumps takes no arguments, and "x" is one`},
		{[]string{"version", "x"}, "execnet version takes no arguments"},
		{[]string{"worker", "foo"}, `execnet worker takes no arguments, and "foo" is one`},
	} {
		r := inProcess("", c.args...)
		assert.Equal(t, 2, r.code, c.args)
		assert.Contains(t, r.stderr, c.want, c.args)
		assert.Contains(t, r.stderr, "Try: execnet", c.args)
		assert.Empty(t, r.stdout, c.args)
	}
}

func TestHelp(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{}, "Execnet starts Python interpreters"},
		{[]string{"help", "exec"}, "--tx SPEC"},
		{[]string{"exec", "--help"}, "execnet exec --raw"},
		{[]string{"call", "--help"}, "execnet call math.gcd 42 30"},
		{[]string{"help", "json"}, "__frozenset__"},
		{[]string{"help", "specs"}, "N*SPEC"},
		{[]string{"rsync", "--help"}, ".NAME.execnet-XXXXXXXX are taken for what a sync that was killed has\nleft"},
		{[]string{"rsync", "--help"}, "for this TIME, such as 90 or 90s, more than 0 (default 1m0s)"},
		{[]string{"info", "--help"}, "execnet info --json"},
		{[]string{"dumps", "--help"}, "--internal"},
		{[]string{"loads", "--help"}, "--py2str-as-py3str"},
		{[]string{"completion", "bash"}, "__start_execnet"},
	} {
		out := convert(t, "", c.args...)
		assert.Contains(t, out, c.want, c.args)
	}
	// "help specs" tells every key: those that the error of an unknown one lists.
	spec, err := xspec.Parse("popen//unknownunknown")
	require.NoError(t, err)
	var wrong *xspec.Error
	require.ErrorAs(t, spec.CheckKeys(), &wrong)
	list := strings.TrimSuffix(strings.TrimPrefix(wrong.Problem, "it is unknown; a key is one of "), ", or begins with x-")
	keys := strings.Split(list, ", ")
	require.Greater(t, len(keys), 20)
	for _, key := range keys {
		assert.Regexp(t, `(//|\s)`+key+`\b`, convert(t, "", "help", "specs"))
	}
	assert.Regexp(t, `^execnet \S+ go1\.\S+ `+runtime.GOOS+"/"+runtime.GOARCH+"\n$", convert(t, "", "version"))
	assert.Equal(t, convert(t, "", "version"), convert(t, "", "--version"))
}
