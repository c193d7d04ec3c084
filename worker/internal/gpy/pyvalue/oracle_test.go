package pyvalue_test

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/go-python/gpython/compile"
	"github.com/go-python/gpython/py"
	_ "github.com/go-python/gpython/stdlib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/pythons"
	"github.com/go-execnet/execnet/worker/internal/gpy/pyvalue"
)

// answer is what an expression gives: a type's name and a repr, or "!", an exception's name and its message.
type answer [2]string

// askCPython evaluates expressions in a real Python; testdata/oracle.py says how.
func askCPython(t *testing.T, expressions []string) []answer {
	var in strings.Builder
	for _, e := range expressions {
		line, err := json.Marshal(e)
		require.NoError(t, err)
		in.Write(append(line, '\n'))
	}
	cmd := exec.Command(pythons.Default(t).Path, "testdata/oracle.py")
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

// evaluate evaluates an expression in gpython.
func evaluate(ctx py.Context, expression string) (py.Object, error) {
	code, err := compile.Compile(expression, "<test>", py.EvalMode, 0, true)
	if err != nil {
		return nil, err
	}
	globals := py.NewStringDict()
	return ctx.RunCode(code, globals, globals, nil)
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

// testOracle compares gpython's answers with CPython's, one expression a line; # begins a comment line.
func testOracle(t *testing.T, table string) {
	var expressions []string
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			expressions = append(expressions, line)
		}
	}
	ctx := newContext()
	t.Cleanup(func() { assert.NoError(t, ctx.Close()) })
	for i, want := range askCPython(t, expressions) {
		assert.Equal(t, want, askGpython(ctx, expressions[i]), "%s", expressions[i])
	}
}

func TestExpressions(t *testing.T) {
	files, err := os.ReadDir("testdata/expressions")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(strings.TrimSuffix(file.Name(), ".txt"), func(t *testing.T) {
			table, err := os.ReadFile("testdata/expressions/" + file.Name())
			require.NoError(t, err)
			testOracle(t, string(table))
		})
	}
}
