//go:build !windows

package command

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Who types a source that sends nothing is told how to see something. Who has sent something, or
// has chosen an exit code, is not.
func TestExecNothingSent(t *testing.T) {
	const hint = "(nothing was sent: channel.send(VALUE) prints a value here)\n"
	out, code := atTerminal(t, "exec", "-c", "print(1)")
	// What was printed may still be on its way when the source has ended.
	assert.ElementsMatch(t, []string{"[gw0] 1\n", hint, ""}, strings.SplitAfter(out, "\n"))
	assert.Zero(t, code)
	for source, want := range map[string]string{
		"channel.send(1)":         `{"gateway": "gw0", "item": 1}` + "\n",
		"import sys; sys.exit(3)": "",
	} {
		out, _ = atTerminal(t, "exec", "-c", source)
		assert.Equal(t, want, out, source)
	}
	out, _ = atTerminal(t, "exec", "--raw", "--tx", "2*popen", "-c", "if channel.gateway.id.startswith('gw0'): channel.send('x')")
	assert.Equal(t, "x", out)
}
