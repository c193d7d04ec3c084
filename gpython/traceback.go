package gpython

// The text of a traceback, as CPython's traceback.format_exception makes it: with frames, source
// lines, chained exceptions and the place of a SyntaxError. It is what a driver gets as the text of
// its RemoteError. gpython v0.2.0 has only a dump of the frames for its own command line.

import (
	"fmt"
	"strings"

	"github.com/go-python/gpython/py"

	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
)

const (
	tracebackHead = "Traceback (most recent call last):\n"
	causeLine     = "\nThe above exception was the direct cause of the following exception:\n\n"
	contextLine   = "\nDuring handling of the above exception, another exception occurred:\n\n"
	mostChained   = 50 // exceptions of one traceback
)

// traceback is the text of CPython's traceback.format_exception for an exception.
func (in *interp) traceback(info py.ExceptionInfo) string {
	e := info.Value.(*py.Exception)
	text := in.oneTraceback(e, info.Traceback)
	if !strings.HasPrefix(text, tracebackHead) {
		text = tracebackHead + text // CPython would show frames of its worker here
	}
	for range mostChained {
		var before *py.Exception
		line := causeLine
		if cause, ok := e.Cause.(*py.Exception); ok && cause != nil {
			before = cause
		} else if !e.SuppressContext {
			before, line = contextOf(e), contextLine
		}
		if before == nil {
			break
		}
		tb, _ := before.Traceback.(*py.Traceback)
		text = in.oneTraceback(before, tb) + line + text
		e = before
	}
	return text
}

// oneTraceback leaves out the head of an exception that was never raised, as CPython does.
func (in *interp) oneTraceback(e *py.Exception, tb *py.Traceback) string {
	var b strings.Builder
	number, atLine := syntaxDetail(e, "lineno").(py.Int)
	if tb != nil || atLine {
		b.WriteString(tracebackHead)
	}
	in.frames(&b, tb)
	if atLine {
		in.syntaxLines(&b, e, int(number))
	}
	frames, _ := e.Dict[goFrames].(py.String)
	b.WriteString(string(frames) + exceptionLine(e))
	return b.String()
}

// place is one line of a traceback.
type place struct {
	file, function string
	line           int32
}

// frames writes the frames, one that repeats itself three times and a count, as CPython does.
func (in *interp) frames(b *strings.Builder, tb *py.Traceback) {
	var last place
	repeated := 0
	flush := func() {
		if n := repeated - 3; n > 0 {
			plural := "s"
			if n == 1 {
				plural = ""
			}
			fmt.Fprintf(b, "  [Previous line repeated %d more time%s]\n", n, plural)
		}
	}
	for ; tb != nil; tb = tb.Next {
		co := tb.Frame.Code
		// Lasti is behind the instruction that raised.
		at := place{co.Filename, co.Name, co.Addr2Line(tb.Lasti - 1)}
		if at != last {
			flush()
			last, repeated = at, 0
		}
		if repeated++; repeated > 3 {
			continue
		}
		fmt.Fprintf(b, "  File \"%s\", line %d, in %s\n", at.file, at.line, at.function)
		if line := strings.TrimSpace(in.sourceLine(at.file, int(at.line))); line != "" {
			b.WriteString("    " + line + "\n")
		}
	}
	flush()
}

// sourceLine is a line of a file that was executed, or empty.
func (in *interp) sourceLine(file string, n int) string {
	rest, ok := in.sources[file]
	for ; ok && n > 1; n-- {
		_, rest, ok = strings.Cut(rest, "\n")
	}
	line, _, _ := strings.Cut(rest, "\n")
	if !ok || n < 1 {
		return ""
	}
	return shorten(line)
}

// shorten cuts a line of more than 1000 bytes, for tracebacks.
func shorten(line string) string {
	const most = 1000
	if len(line) <= most {
		return line
	}
	return strings.ToValidUTF8(line[:most], "") + "..."
}

// syntaxLines writes where a SyntaxError is: file, line, text and caret.
func (in *interp) syntaxLines(b *strings.Builder, e *py.Exception, number int) {
	file, ok := syntaxDetail(e, "filename").(py.String)
	if !ok {
		file = "<string>"
	}
	fmt.Fprintf(b, "  File \"%s\", line %d\n", file, number)
	text, _ := syntaxDetail(e, "text").(py.String)
	line := shorten(strings.TrimRight(string(text), " \t\r\n"))
	if line == "" {
		line = strings.TrimRight(in.sourceLine(string(file), number), " \t\r\n")
	}
	stripped := strings.TrimLeft(line, " \t\f")
	if stripped == "" {
		return
	}
	b.WriteString("    " + stripped + "\n")
	offset, ok := syntaxDetail(e, "offset").(py.Int)
	if !ok {
		return
	}
	caret := min(max(int(offset)-1, 0), len(line)) - (len(line) - len(stripped))
	b.WriteString("    " + strings.Repeat(" ", max(caret, 0)) + "^\n")
}

// syntaxDetail is an attribute that a SyntaxError has, or nil.
func syntaxDetail(e *py.Exception, name string) py.Object {
	if !e.Base.IsSubtype(py.SyntaxError) {
		return nil
	}
	value, err := pyvalue.GetAttr(e, name)
	if err != nil {
		return nil
	}
	return value
}

// exceptionLine is the last part of a traceback: the class and what the exception says of itself.
func exceptionLine(e *py.Exception) string {
	name := strings.TrimPrefix(qualifiedName(e.Base), "builtins.")
	text, err := exceptionText(e)
	if msg := syntaxDetail(e, "msg"); msg != nil {
		if text, err = pyvalue.Str(msg); msg == py.None {
			text = "<no detail available>"
		}
	}
	if err != nil {
		text = unprintable
	}
	if text == "" {
		return name + "\n"
	}
	return name + ": " + text + "\n"
}

// unprintable stands for the text of an exception that has none, as in CPython.
const unprintable = "<exception str() failed>"

// qualifiedName is the name of a class with its module in front.
func qualifiedName(class *py.Type) string {
	if module, ok := class.Dict["__module__"].(py.String); ok {
		return string(module) + "." + pyvalue.Qualname(class)
	}
	return "builtins." + class.Name
}

// exceptionText is str(e), without trusting it: a program may define it.
func exceptionText(e *py.Exception) (text string, err error) {
	defer recoverPanic(&err)
	return pyvalue.Str(e)
}
