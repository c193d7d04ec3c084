//go:build unix

package command

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// twoLaunched is a launcher that starts two workers, by a command that execnet help specs shows.
const twoLaunched = `launch=sh -c 'for i in 0 1; do EXECNET_RANK=$i "$@" & done; wait' sh//n=2//id=x`

// TestExecLaunch runs source in the workers of a launcher, in Python and in Go.
func TestExecLaunch(t *testing.T) {
	for _, what := range []string{"//self", "//python=" + pythons.Default(t).Path} {
		got := lines(t, ok(t, "", "exec", "--tx", twoLaunched+what, "-c", "import os; channel.send(os.environ['EXECNET_RANK'])"))
		assert.Equal(t, map[string][]string{"x-0": {`"0"`}, "x-1": {`"1"`}}, got)
	}
	// By a command of one's own, in which Go's worker has no driver's arguments.
	own := fmt.Sprintf(`launch=sh -c 'exec %s worker --connect --engine gpython'`, binary)
	assert.Equal(t, "{\"gateway\": \"gw0\", \"item\": 42}\n", ok(t, "", "exec", "--tx", own, "-c", "channel.send(6 * 7)"))
}

// TestExecLaunchFails has a launcher that starts nothing.
func TestExecLaunchFails(t *testing.T) {
	r := execnet(t, "", "exec", "--tx", "launch=sh -c 'echo no partition >&2; exit 3'", "-c", "pass")
	assert.Equal(t, 1, r.code)
	assert.Contains(t, r.stderr, "no partition\n")
	assert.Contains(t, r.stderr, "[gw0] cannot start launch=sh -c 'echo no partition >&2; exit 3': the worker that ")
	assert.Contains(t, r.stderr, "the launcher has ended (exit status 3)")
	assert.NotContains(t, r.stderr, "its stderr ended", "it was printed before")

	r = execnet(t, "", "worker", "--connect")
	assert.Equal(t, 2, r.code)
	assert.Contains(t, r.stderr, "the variable EXECNET_LAUNCH is not set")
}

// TestPytestLaunch runs a suite in the workers of a launcher.
func TestPytestLaunch(t *testing.T) {
	dir := suiteFolder(t, map[string]string{"test_it.py": `
import pytest

@pytest.mark.parametrize("n", range(6))
def test_n(n):
    assert n < 5
`})
	r := runIn(t, dir, binary, "pytest", "--tx", twoLaunched+"//chdir="+dir+"//python="+pythons.WithExecnet(t))
	assert.Equal(t, 1, r.code, r.stderr)
	assert.Contains(t, r.stdout, "1 failed")
	assert.Contains(t, r.stdout, "5 passed")
}
