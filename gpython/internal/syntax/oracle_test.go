package syntax

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/go-python/gpython/py"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// sample is a file of a CPython's library, with what that CPython makes of it.
type sample struct{ path, source, tree, problem string }

// readText reads one text that dump.py has written.
func readText(t *testing.T, r *bufio.Reader) (string, bool) {
	t.Helper()
	line, err := r.ReadString('\n')
	if err == io.EOF && line == "" {
		return "", false
	}
	require.NoError(t, err)
	var length int
	_, err = fmt.Sscan(line, &length)
	require.NoError(t, err)
	text := make([]byte, length)
	_, err = io.ReadFull(r, text)
	require.NoError(t, err)
	return string(text), true
}

// testsEvery is how many of the library's own tests are one that is read: they are most of it. With
// 1 the whole library is read.
const testsEvery = 6

// samples calls f with the files of the library of a CPython, and if tests is set with some of its
// tests.
func samples(t *testing.T, python pythons.Interpreter, tests bool, f func(s sample)) {
	t.Helper()
	arguments := []string{"testdata/dump.py"}
	if tests {
		arguments = append(arguments, strconv.Itoa(testsEvery))
	}
	cmd := exec.Command(python.Path, arguments...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	pipe, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	r := bufio.NewReaderSize(pipe, 1<<20)
	for {
		var s sample
		more := false
		for i, to := range []*string{&s.path, &s.source, &s.tree, &s.problem} {
			*to, more = readText(t, r)
			if !more {
				require.Zero(t, i)
				break
			}
		}
		if !more {
			break
		}
		f(s)
	}
	require.NoError(t, cmd.Wait(), stderr.String())
}

// refused are the features that a file may be refused for.
var refused = map[string]bool{
	"async functions": true, "async for loops": true, "async with statements": true, "async comprehensions": true,
	"await expressions": true, "match statements": true, "type statements": true, "type parameters": true,
	"except* clauses": true, "matrix multiplications (@)": true, "continue statements in finally clauses": true, "surrogates in strings": true,
	"template strings": true,
}

// TestTreesAreCPythons compares the trees of the files of CPython's library with those that its
// module ast has, with all lines and columns.
func TestTreesAreCPythons(t *testing.T) {
	compared := 0
	withTests := false // those of one CPython are read
	for _, python := range pythons.All(t) {
		if !python.AtLeast(3, 10) {
			continue // its columns are others
		}
		tests := !withTests && python.AtLeast(3, 11)
		withTests = withTests || tests
		same, features, wrong := 0, make(map[string]int), 0
		samples(t, python, tests, func(s sample) {
			tree, err := Parse(s.source, py.ExecMode)
			if s.tree == "" {
				if s.problem != "surrogates" {
					assert.Error(t, err, "%s: %s", s.path, s.problem)
					wrong++
				}
				return
			}
			var e *Error
			if err != nil {
				require.ErrorAs(t, err, &e)
				feature := e.Feature
				if strings.HasPrefix(feature, `\N{`) {
					feature = `\N`
				} else if feature == "" && s.problem != "" {
					return // CPython's compiler refuses it as well
				}
				assert.True(t, refused[feature] || feature == `\N`, "%s: %v", s.path, err)
				features[feature]++
				return
			}
			got := dump(tree, python.AtLeast(3, 12))
			if got == s.tree {
				same++
				return
			}
			a, b := strings.Split(s.tree, "\n"), strings.Split(got, "\n")
			for i := range a {
				if i >= len(b) || a[i] != b[i] {
					assert.Equal(t, a[max(i-8, 0):min(i+4, len(a))], b[max(i-8, 0):min(i+4, len(b))], s.path)
					break
				}
			}
		})
		t.Logf("Python %s: %d trees are the same, %d files have errors, refused for %v", python.Version(), same, wrong, features)
		compared += same
	}
	assert.Greater(t, compared, 400)
}
