// Package examples holds a test that runs each example as a reader would.
package examples

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// outputs are the lines that the example output prints, in the order of the alphabet.
const outputs = `^\[gw0 stdout\] hello from Python \d\n\[gw0 stdout\] hello from a child\n` +
	`\[gw1 stdout\] hello from Python \d\n\[gw1 stdout\] hello from a child\n` +
	`time=\S+ level=WARN msg="3 rows are empty" gateway=gw\d logger=analysis file="<remote exec>" line=5 function=\S+ table=prices\n` +
	`time=\S+ level=WARN msg="3 rows are empty" gateway=gw\d logger=analysis file="<remote exec>" line=5 function=\S+ table=prices\n$`

func TestOutput(t *testing.T) {
	out, err := exec.Command("go", "run", "./output").CombinedOutput()
	require.NoError(t, err, "%s", out)
	lines := slices.SortedStableFunc(strings.Lines(string(out)), func(a, b string) int {
		return strings.Compare(a[:4], b[:4]) // "[gw0", "[gw1" or "time"
	})
	assert.Regexp(t, outputs, strings.Join(lines, ""))
}

func TestExamples(t *testing.T) {
	for name, want := range map[string]string{
		"hello":     `(?s)^\(0, 0, '\d+\.\d+\.\d+[^']*'\)\n.*\(4, 1099511627776, '[^']+'\)\n$`,
		"wordcount": `(?s)^worker gw0 on Python [\d.]+: .*the +\d+\n`,
		"group":     `(?s)^(gw[012] says \(\d+, \d+\)\n){6}6 answers from 3 interpreters\n$`,
		"textstats": `(?s)^gw0: the 2, of 6 different words\ngw1: the 1, of 3 different words\n$`,
		"pool": `(?s)360 = \[2 2 2 3 3 5\]\n.*tasks\.factors\(0\) failed in gw\d+ \(popen\): gateway gw\d+ died \(exit status 3\)\n.*1000003 = \[1000003\]\n` +
			`.*tasks\.factors\(-1\) failed in gw\d+ \(popen\): not done within 1s: timeout\n.*600851475143 = \[71 839 1471 6857\]\n$`,
		"cluster":  `^100 jobs in \d+ workers: pi is about 3\.139\n$`,
		"library":  `(?s)^y = 2 x \+ 1 mm\ny = 2 x \+ 1 cm\nTraceback .*File "<driver>/analysis/model\.py", line 9, in fit\n    raise ValueError\("a line needs two points"\)\nValueError: .*$`,
		"stream":   `(?s)^sensor 6 has 40\.1 degrees at 11:31\nclosed: early\n$`,
		"callback": `(?s)^tick 0\ntick 1\ntick 2\ndone\n$`,
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

// TestSuite runs the tests of the example suite.
func TestSuite(t *testing.T) {
	run := func(flags ...string) string {
		cmd := exec.Command("go", append(append([]string{"test", "-tags", "python", "-count=1"}, flags...), "./suite")...)
		// This interpreter has pytest, too.
		cmd.Env = append(os.Environ(), "EXECNET_PYTHON="+pythons.WithExecnet(t))
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return string(out)
	}
	all := run("-v")
	assert.Equal(t, 11, strings.Count(all, "--- PASS: "), all)
	assert.Equal(t, 1, strings.Count(all, "--- SKIP: TestPython/test_client.py/test_forget"), all)
	assert.Contains(t, all, "    [gw0 stdout] adding 1 to apples\n")
	assert.NotContains(t, run("-short", "-v"), "test_many")
	one := run("-v", "-run", "TestPython/test_client.py/TestValue/test_is_the_sum")
	assert.Equal(t, 4, strings.Count(one, "--- PASS: "), one)
}
