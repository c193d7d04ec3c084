// Package examples holds a test that runs each example as a reader would.
package examples

import (
	"os/exec"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestExamples(t *testing.T) {
	for name, want := range map[string]string{
		"hello":     `(?s)^\(0, 0, '\d+\.\d+\.\d+[^']*'\)\n.*\(4, 1099511627776, '[^']+'\)\n$`,
		"wordcount": `(?s)^worker gw0 on Python [\d.]+: .*the +\d+\n`,
		"group":     `(?s)^(gw[012] says \(\d+, \d+\)\n){6}6 answers from 3 interpreters\n$`,
		"textstats": `(?s)^gw0: the 2, of 6 different words\ngw1: the 1, of 3 different words\n$`,
		"callback":  `(?s)^tick 0\ntick 1\ntick 2\ndone\n$`,
	} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.Command("go", "run", "./"+name).CombinedOutput()
			require.NoError(t, err, "%s", out)
			assert.Regexp(t, regexp.MustCompile(want), string(out))
		})
	}
}
