package pyvalue_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-python/gpython/py"
	_ "github.com/go-python/gpython/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// answer is what an expression gives: a type's name and a repr, or "!", an exception's name and its
// message.
type answer [2]string

// askCPython evaluates expressions in a real Python; testdata/oracle.py says how.
func askCPython(t *testing.T, python pythons.Interpreter, expressions []string) []answer {
	var in strings.Builder
	for _, e := range expressions {
		line, err := json.Marshal(e)
		require.NoError(t, err)
		in.Write(append(line, '\n'))
	}
	cmd := exec.Command(python.Path, "testdata/oracle.py")
	cmd.Stdin = strings.NewReader(in.String())
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	require.NoError(t, err)
	var answers []answer
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var a answer
		require.NoError(t, json.Unmarshal(lines.Bytes(), &a))
		answers = append(answers, a)
	}
	require.Len(t, answers, len(expressions))
	return answers
}

// newContext makes an interpreter whose builtins are this package's.
func newContext() py.Context {
	ctx := py.NewContext(py.ContextOpts{})
	builtins := ctx.Store().Builtins.Globals
	for name, value := range pyvalue.Builtins() {
		builtins[name] = value
	}
	return ctx
}

// evaluate evaluates an expression in gpython, or runs a program of several lines and gives what it
// leaves in r.
func evaluate(ctx py.Context, source string) (py.Object, error) {
	mode := py.EvalMode
	if strings.Contains(source, "\n") {
		mode = py.ExecMode
	}
	code, err := py.Compile(source, "<test>", mode, 0, true)
	if err != nil {
		return nil, err
	}
	globals := py.NewStringDict()
	value, err := ctx.RunCode(code, globals, globals, nil)
	if err == nil && mode == py.ExecMode {
		value = globals["r"]
	}
	return value, err
}

func askGpython(ctx py.Context, expression string) (a answer) {
	defer func() {
		if r := recover(); r != nil {
			a = answer{"panic", py.MakeException(r).Error()}
		}
	}()
	value, err := evaluate(ctx, expression)
	if err != nil {
		return failure(err)
	}
	text, err := shown(value)
	if err != nil {
		return failure(err)
	}
	name, err := evaluateName(value)
	if err != nil {
		return failure(err)
	}
	return answer{name, text}
}

func evaluateName(value py.Object) (string, error) {
	class, err := py.Call(pyvalue.Builtins()["type"], py.Tuple{value}, nil)
	if err != nil {
		return "", err
	}
	return class.(*py.Type).Name, nil
}

func failure(err error) answer {
	value := py.Object(nil)
	switch e := err.(type) {
	case py.ExceptionInfo:
		value = e.Value
	case *py.Exception:
		value = e
	}
	e, ok := value.(*py.Exception)
	if !ok {
		return answer{"!Go", err.Error()}
	}
	text, err := pyvalue.Str(e)
	if err != nil {
		return failure(err)
	}
	return answer{"!" + e.Base.Name, text}
}

// shown is repr, with the items of sets in the order of their reprs.
func shown(value py.Object) (string, error) {
	var items []py.Object
	switch s := value.(type) {
	case *pyvalue.Set:
		items = s.Items()
	case *pyvalue.FrozenSet:
		items = s.Items()
	default:
		return pyvalue.Repr(value)
	}
	texts := make([]string, len(items))
	for i, item := range items {
		var err error
		if texts[i], err = shown(item); err != nil {
			return "", err
		}
	}
	slices.Sort(texts)
	return value.Type().Name + "{" + strings.Join(texts, ", ") + "}", nil
}

// testOracle compares gpython's answers with CPython's.
func testOracle(t *testing.T, sources []string) {
	ctx := newContext()
	t.Cleanup(func() { assert.NoError(t, ctx.Close()) })
	python := pythons.Default(t)
	for i, want := range askCPython(t, python, sources) {
		got := askGpython(ctx, sources[i])
		if strings.HasPrefix(want[0], "!") && python.Version() != "3.11" {
			want[1], got[1] = "", "" // the messages are those of 3.11
		}
		assert.Equal(t, want, got, "%s", sources[i])
	}
}

// TestExpressions goes through tables of one expression a line.
func TestExpressions(t *testing.T) {
	for name, table := range tables(t, "testdata/expressions/*.txt") {
		t.Run(name, func(t *testing.T) {
			testOracle(t, strings.Split(strings.TrimSpace(table), "\n"))
		})
	}
}

// TestPrograms goes through programs that lines of dashes separate.
func TestPrograms(t *testing.T) {
	for name, table := range tables(t, "testdata/programs/*.txt") {
		t.Run(name, func(t *testing.T) {
			testOracle(t, splitPrograms(table))
		})
	}
}

func splitPrograms(table string) []string { return strings.Split(table, "----\n") }

func tables(t *testing.T, pattern string) map[string]string {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, files)
	out := map[string]string{}
	for _, file := range files {
		table, err := os.ReadFile(file)
		require.NoError(t, err)
		out[strings.TrimSuffix(filepath.Base(file), ".txt")] = string(table)
	}
	return out
}
