package bootstrap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/go-execnet/execnet/internal/pystring"
)

// maxLine is how long a first line may be, in bytes. Those of execnet's drivers are about as long
// as usualLine. Those of this module's drivers can have messages in them, and 1.3 MiB at most.
const (
	maxLine   = 4 << 20
	usualLine = 64 << 10
)

// Request is what a driver's first line asks for.
type Request struct {
	// ID is the worker's id: the gateway's with "-worker" appended.
	ID string
	// ExecModel is one of [xspec.ExecModels], or "" if the driver leaves it to the socket server.
	ExecModel string
	// Engine is one of [xspec.Engines], or "" if the driver leaves it to the worker. It comes only
	// from drivers of this module.
	Engine string
	// ChDir is the folder to work in, which is made if it is absent; "" for no change. It, Nice,
	// Env and Ahead come only from drivers of this module. Python's do the same by an execution.
	ChDir string
	// Nice is what to add to the niceness.
	Nice int
	// Env are environment variables to set, nil for none.
	Env map[string]string
	// Ahead holds the first bytes of the stream of messages; the rest follows the line.
	Ahead []byte
	// DescribeErrors says that the driver understands errors with their class
	// ([protocol.md section 6.7]). It comes only from drivers of this module.
	//
	// [protocol.md section 6.7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#67-error-text
	DescribeErrors bool
	// Output is what the driver wants to see of the worker's output: a sum of
	// [gatewaybase.AsideStdout] and so on, 0 for nothing. It comes only from drivers of this
	// module.
	Output int
	// Answer is what the caller writes when it is ready to serve: "1", and behind it the token of a
	// driver of this module.
	Answer []byte

	style style
}

// style is how a driver's first line starts a worker.
type style string

const (
	// styleExec carries a worker's source, which serves on the stdin and stdout of the process.
	styleExec style = "exec"
	// styleImport has the execnet package that is installed serve on the stdin and stdout of the
	// process.
	styleImport style = "import"
	// styleSocket serves on the connection that the line came by. It is for socket servers.
	styleSocket style = "socket"
)

// Accept reads a driver's first line, or two, from r and returns what it asks for. It recognises
// the lines of execnet 1.9 to 2.1, of later releases if they have the same form, and of this module
// ([protocol.md section 7.10]). They are Python source, of which Accept evaluates nothing. It reads
// exactly these lines; r may have buffered more. The caller answers with the request's Answer.
//
// Anything else is an error, which wraps io.EOF if nothing came. Accept returns it as early as it
// can: after the first byte, or when the line gets longer than 4 MiB.
//
// [protocol.md section 7.10]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#710-standing-in-for-an-interpreter
func Accept(r *bufio.Reader) (*Request, error) {
	text, line, err := readLiteralLine(r)
	if err != nil {
		return nil, err
	}
	request, second, err := recognise(text)
	if err != nil {
		return nil, &refusedError{problem: err.Error(), got: beginning(line)}
	}
	if second {
		text, line, err := readLiteralLine(r)
		if err != nil {
			return nil, err
		}
		s := scanner{rest: text}
		s.packedWorker()
		if s.end(); s.err != nil {
			return nil, &refusedError{problem: "the second line is not the worker's source: " + s.err.Error(), got: beginning(line)}
		}
	}
	return request, nil
}

// readLiteralLine reads a line that is one string literal. It returns the literal's value and the
// line.
func readLiteralLine(r *bufio.Reader) (text, line string, err error) {
	first, err := r.Peek(1)
	if err != nil {
		return "", "", unread("", err)
	}
	if strings.IndexByte(`"'u`, first[0]) < 0 {
		seen, _ := r.Peek(r.Buffered()) // no error: so many bytes are buffered
		seen, _, _ = bytes.Cut(seen, []byte("\n"))
		return "", "", &refusedError{problem: "the first line is not a Python string literal", got: beginning(string(seen))}
	}
	if line, err = readLine(r); err != nil {
		return "", "", err
	}
	refused := func(problem string) error { return &refusedError{problem: problem, got: beginning(line)} }
	if !utf8.ValidString(line) {
		return "", "", refused("the first line is not UTF-8")
	}
	text, rest, err := pystring.CutString(line)
	switch {
	case err != nil:
		return "", "", refused("the first line is not one Python string literal: " + err.Error())
	case strings.Trim(rest, " \t\r\n") != "": // a socket server of Python accepts these, too
		return "", "", refused(fmt.Sprintf("the first line goes on after its literal: %+q", beginning(rest)))
	}
	return text, line, nil
}

// readLine reads a line of up to maxLine bytes, its line end included.
func readLine(r *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		part, err := r.ReadSlice('\n')
		if line.Len()+len(part) > maxLine {
			return "", &refusedError{problem: "the first line is longer than 4 MiB", got: beginning(line.String())}
		}
		if line.Len() == 0 && err != nil {
			line.Grow(usualLine)
		}
		line.Write(part)
		switch {
		case err == nil:
			return line.String(), nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return "", unread(line.String(), err)
		}
	}
}

// unread is the error for a line that cannot be read.
func unread(line string, err error) error {
	problem := "the first line cannot be read: " + err.Error()
	switch {
	case errors.Is(err, io.EOF) && line == "":
		problem = "the input ended before a driver said anything"
	case errors.Is(err, io.EOF):
		problem, err = "the input ended within the first line", io.ErrUnexpectedEOF
	}
	return &refusedError{problem: problem, got: beginning(line), err: err}
}

// refusedError is the error of Accept for a first line that no driver sends.
type refusedError struct {
	problem string
	got     string // how the line begins, at most 60 bytes of it, which can be anything
	err     error  // of reading: io.EOF if nothing came, io.ErrUnexpectedEOF for half a line
}

// Error tells what is wrong with the line and what a worker waits for.
func (e *refusedError) Error() string {
	var b strings.Builder
	b.WriteString("execnet: " + e.problem)
	if e.got != "" {
		fmt.Fprintf(&b, " (it begins with %+q)", e.got)
	}
	b.WriteString(`. This is an execnet worker: a driver starts it and speaks to it first, for example ` +
		`execnet.makegateway("popen//python=PROGRAM worker") in Python`)
	return b.String()
}

func (e *refusedError) Unwrap() error { return e.err }

// beginning returns as much of a line as an error shows.
func beginning(line string) string {
	const enough = 60
	return strings.Clone(strings.TrimRight(line[:min(len(line), enough)], "\r\n"))
}
