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

// maxLine is how long a first line may be, in bytes. execnet's are about as long as usualLine; what
// this module's drivers send ahead makes one of 1.3 MiB at the most.
const (
	maxLine   = 4 << 20
	usualLine = 64 << 10
)

// Accept reads a driver's first words from r and recognises what they ask for: those of execnet 1.9
// to 2.1, of later releases that keep their shape, and of this module (protocol.md sections 7.3,
// 7.9 and 7.10). They are Python source, of which nothing is evaluated. Exactly their line, or two
// lines, is read; r may have buffered more. The caller answers with the byte "1".
//
// It reports a RefusedError for anything else, which wraps io.EOF when there was nothing to read. A
// line is refused as soon as that is clear: by its first byte, or when it gets longer than 4 MiB.
func Accept(r *bufio.Reader) (*Invitation, error) {
	text, line, err := readLiteralLine(r)
	if err != nil {
		return nil, err
	}
	inv, second, err := recognise(text)
	if err != nil {
		return nil, &RefusedError{Problem: err.Error(), Got: beginning(line)}
	}
	if second {
		text, line, err := readLiteralLine(r)
		if err != nil {
			return nil, err
		}
		s := scanner{rest: text}
		s.packedWorker()
		if s.end(); s.err != nil {
			return nil, &RefusedError{Problem: "the second line is not the worker's source: " + s.err.Error(), Got: beginning(line)}
		}
	}
	return inv, nil
}

// readLiteralLine reads a line that is one string literal, and returns what the literal means, and
// the line.
func readLiteralLine(r *bufio.Reader) (text, line string, err error) {
	first, err := r.Peek(1)
	if err != nil {
		return "", "", unread("", err)
	}
	if strings.IndexByte(`"'u`, first[0]) < 0 {
		seen, _ := r.Peek(r.Buffered()) // that many there are
		seen, _, _ = bytes.Cut(seen, []byte("\n"))
		return "", "", &RefusedError{Problem: "the first line is not a Python string literal", Got: beginning(string(seen))}
	}
	if line, err = readLine(r); err != nil {
		return "", "", err
	}
	refused := func(problem string) error { return &RefusedError{Problem: problem, Got: beginning(line)} }
	if !utf8.ValidString(line) {
		return "", "", refused("the first line is not UTF-8")
	}
	text, rest, err := pystring.CutString(line)
	switch {
	case err != nil:
		return "", "", refused("the first line is not one Python string literal: " + err.Error())
	case strings.Trim(rest, " \t\r\n") != "": // a socket server forgives these too
		return "", "", refused(fmt.Sprintf("the first line goes on after its literal: %+q", beginning(rest)))
	}
	return text, line, nil
}

// readLine reads a line of up to maxLine bytes with its end.
func readLine(r *bufio.Reader) (string, error) {
	var line strings.Builder
	for {
		part, err := r.ReadSlice('\n')
		if line.Len()+len(part) > maxLine {
			return "", &RefusedError{Problem: "the first line is longer than 4 MiB", Got: beginning(line.String())}
		}
		if line.Len() == 0 && err != nil {
			line.Grow(usualLine) // once instead of by and by
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

func unread(line string, err error) error {
	problem := "the first line cannot be read: " + err.Error()
	switch {
	case errors.Is(err, io.EOF) && line == "":
		problem = "the input ended before a driver said anything"
	case errors.Is(err, io.EOF):
		problem, err = "the input ended within the first line", io.ErrUnexpectedEOF
	}
	return &RefusedError{Problem: problem, Got: beginning(line), Err: err}
}
