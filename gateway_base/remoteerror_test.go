package gatewaybase

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// Tracebacks of CPython, as traceback.format_exception makes them.
const (
	plain      = "Traceback (most recent call last):\n  File \"<remote exec>\", line 1, in <module>\n    f(\n    ~^\nZeroDivisionError: division by zero\n"
	group      = "  + Exception Group Traceback (most recent call last):\n  |   File \"<remote exec>\", line 4, in <module>\n  | ExceptionGroup: all\n  | of (2 sub-exceptions)\n  +-+---------------- 1 ----------------\n    | Traceback (most recent call last):\n    |   File \"<remote exec>\", line 2, in f\n    | ZeroDivisionError: division by zero\n    +---------------- 2 ----------------\n    | TypeError: b\n    +------------------------------------\n"
	during     = "\nDuring handling of the above exception, another exception occurred:\n\n"
	because    = "\nThe above exception was the direct cause of the following exception:\n\n"
	fromWorker = "multiprocessing.pool.RemoteTraceback: \n\"\"\"\n" + plain + "\"\"\"\n"
)

func head(lines string) string {
	return "Traceback (most recent call last):\n  File \"x\", line 1\n" + lines
}

func TestRemoteErrorNamesItsException(t *testing.T) {
	for _, test := range []struct{ text, exception, message string }{
		{plain, "ZeroDivisionError", "division by zero"},
		{head("    a b\n      ^\nSyntaxError: invalid syntax\n"), "SyntaxError", "invalid syntax"},
		{head("KeyError: 1\n") + during + head("pkg.mod.Error: two\nlines: of it\n"), "pkg.mod.Error", "two"},
		{plain + because + head("KeyError: 1\n") + during + head("ValueError\n"), "ValueError", ""},
		{fromWorker + because + plain, "ZeroDivisionError", "division by zero"},
		{head("StopIteration\n"), "StopIteration", ""},
		{head("my-mod.f.<locals>.Fehler_é: ü: ä\n"), "my-mod.f.<locals>.Fehler_é", "ü: ä"},
		{head("ValueError: x\na note\nKeyError: 1\n"), "ValueError", "x"},
		{head("RuntimeError: child:\n" + plain), "RuntimeError", "child:"},
		{group, "ExceptionGroup", "all"},
		{plain + during + group, "ExceptionGroup", "all"},
		{group + during + head("KeyError: 1\n"), "KeyError", "1"},
		{"Traceback (most recent call last):\n  Go function m.f\n  main.f\n    /x.go:1\nRuntimeError: panic in m.f: so\n", "RuntimeError", "panic in m.f: so"},

		{"execution disallowed", "", "execution disallowed"},
		{"see:\n" + plain, "", strings.TrimSpace("see:\n" + plain)},
		{head("many words here\n"), "", strings.TrimSpace(head("many words here\n"))},
		{head(""), "", strings.TrimSpace(head(""))},
		{"", "", ""},
	} {
		err := &RemoteError{Formatted: test.text}
		assert.Equal(t, test.exception, err.Exception(), test.text)
		assert.Equal(t, test.message, err.Message(), test.text)
		assert.NotContains(t, err.Summary(), "\n")
		assert.Equal(t, test.exception != "", err.IsInstance(test.exception))
	}
	is := (&RemoteError{Formatted: plain}).IsInstance
	assert.True(t, is("builtins.ZeroDivisionError"))
	assert.False(t, is("ArithmeticError"))
	assert.False(t, is("Error"))
	assert.True(t, (&RemoteError{Formatted: head("pkg.mod.Error: x\n")}).IsInstance("Error"))
	assert.Equal(t, "see:", (&RemoteError{Formatted: "see:\n" + plain}).Summary())
}

// TestDescribedErrors has payloads of CHANNEL_CLOSE_ERROR that are tuples, good and bad ones.
func TestDescribedErrors(t *testing.T) {
	read := func(v any) *RemoteError {
		payload, err := new(serializer.Codec).Append(nil, v)
		require.NoError(t, err)
		return remoteErrorOf(payload)
	}
	about := func(class, message, mro any) *serializer.Dict {
		return serializer.NewDict("class", class, "message", message, "mro", mro)
	}
	e := read(serializer.Tuple{plain, about("m.E", "a\nb", []any{"m.E", "builtins.Exception"})})
	assert.Equal(t, &RemoteError{Formatted: plain, Text: "a\nb", MRO: []string{"m.E", "builtins.Exception"}}, e)
	assert.Equal(t, [4]string{"m.E", "a", "m.E: a", strings.TrimSpace(plain)}, [4]string{e.Exception(), e.Message(), e.Summary(), e.Error()})
	assert.Equal(t, "E", (&RemoteError{MRO: []string{"__main__.E"}}).Exception())

	good := []any{"m.E"}
	more := about("m.E", "a", good)
	require.NoError(t, more.Set("more", nil))
	for _, bad := range []any{
		serializer.Tuple{}, serializer.Tuple{plain}, serializer.Tuple{plain, about("m.E", "a", good), nil}, serializer.Tuple{nil, about("m.E", "a", good)},
		serializer.Tuple{plain, serializer.NewDict()}, serializer.Tuple{plain, "m.E"}, []any{plain, about("m.E", "a", good)},
		serializer.Tuple{plain, more}, serializer.Tuple{plain, about(nil, "a", good)}, serializer.Tuple{plain, about("m.E", nil, good)},
		serializer.Tuple{plain, about("m.E", "a", nil)}, serializer.Tuple{plain, about("m.E", "a", []any{})},
		serializer.Tuple{plain, about("m.E", "a", []any{"m.F"})}, serializer.Tuple{plain, about("m.E", "a", []any{"m.E", 1})},
		serializer.Tuple{plain, about("", "a", []any{""})}, 5, nil,
	} {
		e := read(bad)
		assert.Empty(t, e.MRO, "%v", bad)
		assert.NotEmpty(t, e.Formatted)
	}
	assert.Contains(t, remoteErrorOf([]byte("x")).Formatted, "unreadable")
}

// TestOnlyWhoAsksGetsTheClass closes channels with an error that has a class.
func TestOnlyWhoAsksGetsTheClass(t *testing.T) {
	long := strings.Repeat("é", maxErrorText)
	e := &RemoteError{Formatted: long, Text: long, MRO: []string{"m.E", "bad\xff"}}
	text := remoteErrorOf(errorPayload(e, false))
	assert.Empty(t, text.MRO)
	all := remoteErrorOf(errorPayload(e, true))
	assert.Equal(t, []string{"m.E", "bad\uFFFD"}, all.MRO)
	for _, s := range []string{text.Formatted, all.Formatted, all.Text} {
		assert.Less(t, len(s), maxErrorText+100)
		assert.Contains(t, s, "bytes are left out here")
	}
	assert.Empty(t, remoteErrorOf(errorPayload(errors.New("plain"), true)).MRO)

	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.CloseWithError(&RemoteError{Formatted: "text\n", MRO: []string{"m.E"}}))
	var got *RemoteError
	require.ErrorAs(t, here.WaitClose(within.Soon(t)), &got)
	assert.Equal(t, &RemoteError{Formatted: "text\n"}, got)
}
