package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
)

// greetingTime is how long a driver may take to send its first line; a variable for the tests.
var greetingTime = time.Minute

// greetingBytes of a first line without its end are enough to start a worker, which reads on.
const greetingBytes = 4 << 10

// NotExecnetError says that what has connected is no driver of execnet: it sent something else than
// a driver's first line, or nothing in time.
type NotExecnetError struct {
	// Got are the first bytes that came, at most 64.
	Got []byte
	// Err is why there were not more: io.EOF, gatewaybase.ErrTimeout, or what reading reported; nil
	// if Got is wrong.
	Err error
}

func (e *NotExecnetError) Error() string {
	switch {
	case e.Err == io.EOF && len(e.Got) == 0:
		return "not a driver of execnet: it sent nothing"
	case e.Err != nil && len(e.Got) == 0:
		return fmt.Sprintf("not a driver of execnet: no first line: %v", e.Err)
	case e.Err != nil:
		return fmt.Sprintf("not a driver of execnet: no first line, but %q: %v", e.Got, e.Err)
	case e.Got[0] == 0x16:
		return fmt.Sprintf("not a driver of execnet: it speaks TLS, and this server does not, got %q", e.Got)
	}
	return fmt.Sprintf("not a driver of execnet: got %q", e.Got)
}

func (e *NotExecnetError) Unwrap() error { return e.Err }

// greet waits until a driver's first line has begun to arrive on conn, and returns what it had to
// take of it.
func greet(ctx context.Context, conn net.Conn) (ahead []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(greetingTime)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(past) })
	begin, taken, err := look(ctx, conn)
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err == nil && !firstLine(begin) {
		return nil, &NotExecnetError{Got: head(begin)}
	}
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			err = gatewaybase.ErrTimeout
		}
		return nil, &NotExecnetError{Got: head(begin), Err: err}
	}
	if err := conn.SetReadDeadline(time.Time{}); err != nil {
		return nil, err
	}
	if !taken {
		return nil, nil
	}
	return begin, nil
}

func head(begin []byte) []byte { return bytes.Clone(begin[:min(len(begin), 64)]) }

// look reads or, where it can, only looks at the first bytes until they tell enough.
func look(ctx context.Context, conn net.Conn) (begin []byte, taken bool, err error) {
	if socket, ok := conn.(handle); ok && canHandOver {
		begin, err = peek(ctx, socket)
		return begin, false, err
	}
	if secure, ok := conn.(*tls.Conn); ok {
		handshaking, cancel := context.WithTimeout(ctx, greetingTime)
		defer cancel()
		if err := secure.HandshakeContext(handshaking); err != nil {
			return nil, true, fmt.Errorf("TLS handshake: %w", err)
		}
	}
	begin = make([]byte, 0, greetingBytes)
	for !enough(begin) {
		n, err := conn.Read(begin[len(begin):cap(begin)])
		begin = begin[:len(begin)+n]
		if err != nil && !enough(begin) {
			return begin, true, err
		}
	}
	return begin, true, nil
}

// enough reports whether it can be told, or need not be, whether a driver says this.
func enough(begin []byte) bool {
	return len(begin) >= 2 && !firstLine(begin) || len(begin) == greetingBytes || bytes.IndexByte(begin, '\n') >= 0
}

// firstLine reports whether this can be the beginning of a driver's first line: a Python string
// literal. A worker looks at the rest of it.
func firstLine(begin []byte) bool {
	begin = bytes.TrimPrefix(begin, []byte("u"))
	return len(begin) > 0 && (begin[0] == '"' || begin[0] == '\'')
}
