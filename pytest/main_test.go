package pytest_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	_ "github.com/go-execnet/execnet/cpython" // for a Go worker
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/suites"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/pytest"
	"github.com/go-execnet/execnet/worker"
)

// TestMain can make this program a Go worker with a CPython.
func TestMain(m *testing.M) {
	worker.ServeIfWorker()
	goleak.VerifyTestMain(m)
}

// optionsVariable holds the options of TestPython in a test program that a test here has started.
const optionsVariable = "PYTEST_TEST_OPTIONS"

// failVariable makes another test fail before the suite runs there.
const failVariable = "PYTEST_TEST_FAIL"

// TestPython is the Go test that the others look at from outside. By itself it runs a small suite.
func TestPython(t *testing.T) {
	o := pytest.Options{Dir: files{"test_api.py": "def test_it(): pass"}.Write(t), Gateways: []string{"2*" + python(t)}}
	if text := os.Getenv(optionsVariable); text != "" {
		o = pytest.Options{}
		require.NoError(t, json.Unmarshal([]byte(text), &o))
	}
	if os.Getenv(failVariable) != "" {
		t.Run("another", func(t *testing.T) { t.Fail() })
	}
	pytest.Run(t, o)
}

// python is the spec of an interpreter that has pytest.
func python(t *testing.T) string { return "popen//python=" + pythons.WithExecnet(t) }

// files is a suite.
type files = suites.Files

// goTest runs TestPython with these options in a test program of its own, as go test does with the
// flags. It returns what that prints and its exit status.
func goTest(t *testing.T, o pytest.Options, flags ...string) (printed string, status int) {
	t.Helper()
	if o.Gateways == nil {
		o.Gateways = []string{"2*" + python(t)}
	}
	options, err := json.Marshal(o)
	require.NoError(t, err)
	cmd := exec.CommandContext(within.Time(t, 2*time.Minute), os.Args[0], append([]string{"-test.run=^TestPython$"}, flags...)...)
	cmd.Env = append(os.Environ(), optionsVariable+"="+string(options))
	out, err := cmd.CombinedOutput()
	if err != nil {
		var exit *exec.ExitError
		require.ErrorAs(t, err, &exit)
	}
	return string(out), cmd.ProcessState.ExitCode()
}
