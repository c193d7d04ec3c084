package serializer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-execnet/execnet/internal/errtext"
)

// DumpError says why a Go value cannot be serialized, and which part of it is at fault. It stands
// for execnet.DumpError. Use errors.As with a *DumpError.
type DumpError struct {
	// Path leads to the part at fault, as in `[3]["name"].Field`: list items and dict values in
	// brackets, struct fields behind a dot. It is empty for the value itself.
	Path string
	// Problem is the reason in words; it may be empty if Err is the reason.
	Problem string
	// Err is the error of a Marshaler or of the gateway, if that was the reason.
	Err error
}

// Error returns the reason and the path, which is shortened if it is very long.
func (e *DumpError) Error() string {
	return "execnet: cannot serialize " + describe("the value", e.Path) + ": " + withCause(e.Problem, e.Err)
}

// Unwrap returns the reason given by a Marshaler or by the gateway.
func (e *DumpError) Unwrap() error { return e.Err }

// LoadError says why bytes are not a serialized value, or why the value does not fit the Go
// variable it was to be loaded into. It stands for execnet.LoadError. Use errors.As with a
// *LoadError.
type LoadError struct {
	// Offset is the position of the opcode at fault, in bytes from the start of the input.
	Offset int64
	// Path leads to the part at fault, as in `[3]["name"]`. It is empty for the value itself, and
	// when the bytes are unsound, since then no value is built.
	Path string
	// Problem is the reason in words; it may be empty if Err is the reason.
	Problem string
	// Err is the error of an Unmarshaler, of the gateway or of the reader, if that was the reason.
	Err error
}

// Error returns the reason, the offset and the path, which is shortened if it is very long.
func (e *LoadError) Error() string {
	where := "byte " + strconv.FormatInt(e.Offset, 10)
	if e.Path != "" {
		where += ", at " + shorten(e.Path)
	}
	return "execnet: cannot load the value (" + where + "): " + withCause(e.Problem, e.Err)
}

// Unwrap returns the reason given by an Unmarshaler, by the gateway or by the reader.
func (e *LoadError) Unwrap() error { return e.Err }

// withCause joins a problem and its cause, of which either may be missing.
func withCause(problem string, err error) string {
	if err == nil {
		return problem
	}
	cause := errtext.Of(err)
	if problem == "" {
		return cause
	}
	return problem + ": " + cause
}

func describe(what, path string) string {
	if path == "" {
		return what
	}
	return shorten(path)
}

// shorten keeps a message readable when a value is nested thousands of levels deep.
func shorten(path string) string {
	const most = 200
	if len(path) <= most {
		return path
	}
	return strings.ToValidUTF8(path[:most/2], "") + "…" + strings.ToValidUTF8(path[len(path)-most/2:], "")
}

// trail collects the steps of a path from the inside out while an error travels up.
type trail struct {
	err   error
	steps []string
}

func (t *trail) Error() string { return t.err.Error() }

func (t *trail) path() string {
	var b strings.Builder
	for i := len(t.steps) - 1; i >= 0; i-- {
		b.WriteString(t.steps[i])
	}
	return b.String()
}

// within notes that err happened at the given step of the value around it.
func within(err error, step string) error {
	t, ok := err.(*trail)
	if !ok {
		t = &trail{err: err}
	}
	t.steps = append(t.steps, step)
	return t
}

func indexStep(i int) string { return "[" + strconv.Itoa(i) + "]" }

func keyStep(key any) string {
	s := Repr(key)
	if text, ok := key.(string); ok {
		s = strconv.Quote(text)
	}
	if len(s) > 60 {
		s = strings.ToValidUTF8(s[:60], "") + "…"
	}
	return "[" + s + "]"
}

// finishDump makes the error that users see of the one that came up through the value.
func finishDump(err error) error {
	path := ""
	if t, ok := err.(*trail); ok {
		path, err = t.path(), t.err
	}
	var de *DumpError
	if !errors.As(err, &de) {
		return &DumpError{Path: path, Err: err}
	}
	de.Path = path
	return de
}

// finishLoad does the same for loading; base is where in the input the decoder's data begins.
func finishLoad(err error, base int64) error {
	path := ""
	if t, ok := err.(*trail); ok {
		path, err = t.path(), t.err
	}
	le, ok := err.(*LoadError)
	if !ok {
		le = &LoadError{Err: err}
	}
	le.Path = path
	le.Offset += base
	return le
}

func dumpErrorf(format string, args ...any) error {
	return &DumpError{Problem: fmt.Sprintf(format, args...)}
}

func loadErrorf(off int, format string, args ...any) error {
	return &LoadError{Offset: int64(off), Problem: fmt.Sprintf(format, args...)}
}
