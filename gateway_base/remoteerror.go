package gatewaybase

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-execnet/execnet/serializer"
)

// RemoteError is an exception that the code at the other end has raised. It is execnet's
// RemoteError. Use errors.As with a *RemoteError, or errors.Is with an [Exception].
type RemoteError struct {
	// Formatted is the text that came: the remote traceback, or the text that the other end closed
	// the channel with.
	Formatted string
	// Text is str() of the exception, and MRO are the names of its class and of all base classes,
	// in Python's order and each with its module: "builtins.KeyError", "builtins.LookupError" and
	// so on. This module's workers send both ([protocol.md section 6.7]). Both are empty if there
	// is only the text, as from pip's execnet.
	//
	// [protocol.md section 6.7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#67-error-text
	Text string
	MRO  []string
}

// Error returns the remote text.
func (e *RemoteError) Error() string { return strings.TrimRight(e.Formatted, "\n") }

// Exception is the name of the remote exception's class, as Python 3's tracebacks have it
// ("ZeroDivisionError", "package.module.Error"). It is empty if the text is not a traceback.
func (e *RemoteError) Exception() string {
	if len(e.MRO) == 0 {
		class, _ := e.parse()
		return class
	}
	return strings.TrimPrefix(strings.TrimPrefix(e.MRO[0], "builtins."), "__main__.")
}

// Message is the first line of the remote exception's message, or the whole text if that is not a
// traceback.
func (e *RemoteError) Message() string {
	if len(e.MRO) == 0 {
		_, message := e.parse()
		return message
	}
	first, _, _ := strings.Cut(e.Text, "\n")
	return first
}

// Summary is the error in one line: "ValueError: text". For a text that is no traceback it is the
// first line of that.
func (e *RemoteError) Summary() string {
	class, message := e.Exception(), e.Message()
	if class == "" {
		first, _, _ := strings.Cut(strings.TrimLeft(message, "\n"), "\n")
		return first
	}
	if message == "" {
		return class
	}
	return class + ": " + message
}

// IsInstance reports whether the remote exception is of the class, or of a class that is derived
// from it, as isinstance in Python does. The class may be named with its module or without:
// "LookupError", "builtins.LookupError", "subprocess.CalledProcessError". Where MRO is empty, only
// the class itself is known.
func (e *RemoteError) IsInstance(class string) bool {
	names := e.MRO
	if len(names) == 0 {
		shown := e.Exception()
		if !strings.Contains(shown, ".") {
			shown = "builtins." + shown
		}
		names = []string{shown}
	}
	for _, name := range names {
		if class != "" && (name == class || strings.HasSuffix(name, "."+class)) {
			return true
		}
	}
	return false
}

// pythonBehind is what a Go worker calls the CPython beside it in errors, with its own id behind.
const pythonBehind = "the Python behind Go worker "

// PythonDied reports whether the error says that the CPython behind a Go worker has died. The Go
// worker lives, and the next program there gets another CPython.
func (e *RemoteError) PythonDied() bool {
	text, ok := strings.CutPrefix(e.Formatted, "execnet: "+pythonBehind)
	return ok && strings.Contains(text, " died")
}

// The lines of a traceback by which an exception is found in it. An exception group has a margin.
const (
	tracebackHead = "Traceback (most recent call last):\n"
	groupHead     = "  + Exception Group " + tracebackHead
	groupMargin   = "  | "
)

// chained matches what stands between the traceback of an exception and that of the exception that
// was raised while it was handled, or because of it. The last one has ended the execution.
var chained = regexp.MustCompile(`\n\n(?:The above exception was the direct cause of the following exception|` +
	`During handling of the above exception, another exception occurred):\n\n(Traceback \(most recent|  \+ Exception Group )`)

// exceptionLine matches the line that names the exception.
var exceptionLine = regexp.MustCompile(`^([^\s:]+)(?:: (.*))?$`)

// parse finds the class and the message in a traceback. The class is empty if the text is none.
func (e *RemoteError) parse() (class, message string) {
	text := e.lastTraceback()
	margin := ""
	block, found := strings.CutPrefix(text, tracebackHead)
	if !found {
		block, found = strings.CutPrefix(text, groupHead)
		margin = groupMargin
	}
	if !found {
		return "", e.Error()
	}
	// The exception's line is the first that is not indented: frames are, and the place of a
	// SyntaxError, which stand before it. A message of several lines, notes and the exceptions of a
	// group stand after it.
	for line := range strings.SplitSeq(block, "\n") {
		line, inside := strings.CutPrefix(line, margin)
		if !inside {
			break
		}
		if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
			continue
		}
		if m := exceptionLine.FindStringSubmatch(line); m != nil {
			return m[1], m[2]
		}
		break
	}
	return "", e.Error()
}

// unhandled is the line that execnet prints for a remote error that nobody receives.
func (e *RemoteError) unhandled(gateway string) string {
	return fmt.Sprintf("[%s] Warning: unhandled remote error: %s\n", gateway, e.Error())
}

// remoteErrorOf reads the payload of a CHANNEL_CLOSE_ERROR: the text, or the tuple of the text and
// a dict that describes the exception (protocol.md section 6.7).
func remoteErrorOf(payload []byte) *RemoteError {
	codec := serializer.Codec{Py2StrAsPy3Str: true}
	v, err := codec.Load(payload)
	if err != nil {
		return &RemoteError{Formatted: fmt.Sprintf("unreadable error text: %v", err)}
	}
	switch v := v.(type) {
	case string:
		return &RemoteError{Formatted: v}
	case []byte:
		return &RemoteError{Formatted: string(v)}
	case serializer.Tuple:
		if e, ok := describedError(v); ok {
			return e
		}
	}
	return &RemoteError{Formatted: fmt.Sprint(v)}
}

// describedError reads the tuple (text, {"class": str, "message": str, "mro": [str, ...]}).
func describedError(v serializer.Tuple) (*RemoteError, bool) {
	if len(v) != 2 {
		return nil, false
	}
	text, ok1 := v[0].(string)
	about, ok2 := v[1].(*serializer.Dict)
	if !ok1 || !ok2 || about.Len() != 3 {
		return nil, false
	}
	get := func(key string) any { value, _ := about.Get(key); return value }
	class, ok1 := get("class").(string)
	message, ok2 := get("message").(string)
	list, ok3 := get("mro").([]any)
	if !ok1 || !ok2 || !ok3 || len(list) == 0 || class == "" || list[0] != class {
		return nil, false
	}
	e := &RemoteError{Formatted: text, Text: message, MRO: make([]string, len(list))}
	for i, name := range list {
		if e.MRO[i], ok1 = name.(string); !ok1 {
			return nil, false
		}
	}
	return e, true
}

// maxErrorText is how much of an error's text travels. A longer text loses its middle: a traceback
// names the file at its beginning and the exception at its end.
const maxErrorText = 1 << 20

// sendable is a text that can be dumped, and that is not too long.
func sendable(text string) string {
	if cut := len(text) - maxErrorText; cut > 0 {
		half := maxErrorText / 2
		text = fmt.Sprintf("%s\n[... %d bytes are left out here ...]\n%s", text[:half], cut, text[len(text)-half:])
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// errorPayload is the payload of a CHANNEL_CLOSE_ERROR. describe says that the far end knows the
// tuple that remoteErrorOf reads.
func errorPayload(reason error, describe bool) []byte {
	v, about := errorParts(reason, describe)
	if about != nil {
		v = serializer.Tuple{v, about}
	}
	var codec serializer.Codec
	payload, err := codec.Append(nil, v)
	if err != nil {
		panic("valid strings cannot be dumped: " + err.Error())
	}
	return payload
}

// errorParts are the text of an error and the dict that describes it, or nil.
func errorParts(reason error, describe bool) (text, about any) {
	raised, ok := reason.(*RemoteError)
	if !ok {
		return sendable(reason.Error()), nil
	}
	text = sendable(raised.Formatted)
	if !describe || len(raised.MRO) == 0 {
		return text, nil
	}
	mro := make([]any, len(raised.MRO))
	for i, name := range raised.MRO {
		mro[i] = strings.ToValidUTF8(name, "\uFFFD")
	}
	return text, serializer.NewDict("class", mro[0], "message", sendable(raised.Text), "mro", mro)
}
