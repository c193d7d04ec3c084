// Package examples holds a test that runs each example as a reader would.
package examples

import (
	"os/exec"
	"regexp"
	"strings"
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

// linked lists the packages that a program of this module links.
func linked(t *testing.T, program string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", program).Output()
	require.NoError(t, err)
	return strings.Fields(string(out))
}

// assertLinksNone fails if a package of one of these trees is among the packages.
func assertLinksNone(t *testing.T, packages []string, trees ...string) {
	t.Helper()
	for _, name := range packages {
		for _, tree := range trees {
			assert.False(t, name == tree || strings.HasPrefix(name, tree+"/"), "%s is linked", name)
		}
	}
}

const module = "github.com/go-execnet/execnet"

// interpreter are the trees of the Python interpreter in Go.
var interpreter = []string{"github.com/go-python/gpython", module + "/gpython"}

func TestDriversLinkNoInterpreterAndNoWorker(t *testing.T) {
	packages := linked(t, "./hello")
	require.Contains(t, packages, module+"/gateway_base")
	assertLinksNone(t, packages, append(interpreter, module+"/worker")...)
}

func TestWorkersLinkAnInterpreterOnlyIfTheyImportIt(t *testing.T) {
	assertLinksNone(t, linked(t, module+"/worker"), interpreter...)
	assert.Subset(t, linked(t, "./textstats"), interpreter[1:])
}
