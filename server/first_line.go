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
	"github.com/go-execnet/execnet/internal/errtext"
)

// firstLineTime is how long a driver may take to send its first line. Tests change it.
var firstLineTime = time.Minute

// firstLineBytes is how much of a first line without its end is enough to start a worker, which
// reads the rest.
const firstLineBytes = 4 << 10

// notDriverError says that a client is not a driver of execnet: it sent something else than a
// driver's first line, or nothing in time.
type notDriverError struct {
	got []byte // the first bytes that it sent, at most 64
	err error  // why there are no more: io.EOF, ErrTimeout or a reading error; nil if got is wrong
}

func (e *notDriverError) Error() string {
	const problem = "execnet: not a driver of execnet: "
	switch {
	case e.err == io.EOF && len(e.got) == 0:
		return problem + "it sent nothing"
	case e.err != nil && len(e.got) == 0:
		return problem + "no first line: " + errtext.Of(e.err)
	case e.err != nil:
		return fmt.Sprintf(problem+"no first line, but %q: %s", e.got, errtext.Of(e.err))
	case e.got[0] == 0x16:
		return fmt.Sprintf(problem+"it speaks TLS, and this server does not, got %q", e.got)
	}
	return fmt.Sprintf(problem+"got %q", e.got)
}

func (e *notDriverError) Unwrap() error { return e.err }

// awaitFirstLine waits until the beginning of a driver's first line has arrived on conn. It returns
// the bytes of it that it has read; on Unix it reads none from a plain socket.
func awaitFirstLine(ctx context.Context, conn net.Conn) (ahead []byte, err error) {
	if err := conn.SetReadDeadline(time.Now().Add(firstLineTime)); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(past) })
	begin, taken, err := look(ctx, conn)
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err == nil && !firstLine(begin) {
		return nil, &notDriverError{got: head(begin)}
	}
	if err != nil {
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
			err = gatewaybase.ErrTimeout
		}
		return nil, &notDriverError{head(begin), err}
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

// look returns the first bytes, as soon as they tell enough. taken tells whether it has read them
// from conn or, where that is possible, only peeked at them.
func look(ctx context.Context, conn net.Conn) (begin []byte, taken bool, err error) {
	if socket, ok := conn.(fileConn); ok && canHandOver {
		begin, err = peek(ctx, socket)
		return begin, false, err
	}
	if secure, ok := conn.(*tls.Conn); ok {
		handshaking, cancel := context.WithTimeout(ctx, firstLineTime)
		defer cancel()
		if err := secure.HandshakeContext(handshaking); err != nil {
			return nil, true, fmt.Errorf("TLS handshake: %w", err)
		}
	}
	begin = make([]byte, 0, firstLineBytes)
	for !enough(begin) {
		n, err := conn.Read(begin[len(begin):cap(begin)])
		begin = begin[:len(begin)+n]
		if err != nil && !enough(begin) {
			return begin, true, err
		}
	}
	return begin, true, nil
}

// enough reports whether begin is not a driver's first line, or is all that has to be read before a
// worker is started.
func enough(begin []byte) bool {
	return len(begin) >= 2 && !firstLine(begin) || len(begin) == firstLineBytes || bytes.IndexByte(begin, '\n') >= 0
}

// firstLine reports whether begin can be the beginning of a driver's first line, which is a Python
// string literal. The worker checks the rest.
func firstLine(begin []byte) bool {
	begin = bytes.TrimPrefix(begin, []byte("u"))
	return len(begin) > 0 && (begin[0] == '"' || begin[0] == '\'')
}
