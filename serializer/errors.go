package serializer

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// DumpError says why a Go value cannot be serialized, and where in it the trouble is. errors.As
// finds it. It stands for execnet.DumpError.
type DumpError struct {
	Path string // such as `[3]["name"].Field`; empty for the value itself
	Msg  string
	Err  error // what a Marshaler or the gateway said, if that was the reason
}

func (e *DumpError) Error() string {
	return "execnet: cannot serialize " + describe("the value", e.Path) + ": " + withCause(e.Msg, e.Err)
}

// Unwrap returns the reason given by a Marshaler or by the gateway.
func (e *DumpError) Unwrap() error { return e.Err }

// LoadError says why bytes are not a serialized value, or why the value does not fit the Go
// variable it was to be loaded into. errors.As finds it. It stands for execnet.LoadError.
type LoadError struct {
	Offset int64  // of the opcode at fault, counted from the first byte of the input
	Path   string // where in the value, such as `[3]["name"]`; empty for the value itself or where it is unknown
	Msg    string
	Err    error // what an Unmarshaler, the gateway or the reader said, if that was the reason
}

func (e *LoadError) Error() string {
	where := "byte " + strconv.FormatInt(e.Offset, 10)
	if e.Path != "" {
		where += ", at " + shorten(e.Path)
	}
	return "execnet: cannot load the value (" + where + "): " + withCause(e.Msg, e.Err)
}

// Unwrap returns the reason given by an Unmarshaler, by the gateway or by the reader.
func (e *LoadError) Unwrap() error { return e.Err }

func withCause(msg string, err error) string {
	switch {
	case err == nil:
		return msg
	case msg == "":
		return err.Error()
	}
	return msg + ": " + err.Error()
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

// finish turns whatever travelled up into the error that users see.
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
	return &DumpError{Msg: fmt.Sprintf(format, args...)}
}

func loadErrorf(off int, format string, args ...any) error {
	return &LoadError{Offset: int64(off), Msg: fmt.Sprintf(format, args...)}
}
