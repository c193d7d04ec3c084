package gatewayio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
)

// socketTimeout bounds connecting to a socket server when the context has no earlier end.
const socketTimeout = 30 * time.Second

// socket is a TCP connection to a socket server that runs Python, as execnet's SocketIO is, or TLS
// over one. How the interpreter at the other end ends cannot be known; Kill resets the connection.
type socket struct {
	tcp  *net.TCPConn
	conn interface { // tcp itself, or TLS over it
		net.Conn
		CloseWrite() error
	}
	address string

	mu          sync.Mutex // guards what follows
	readClosed  bool
	writeClosed bool
	endSent     bool          // CloseWrite has told the far end, or tried to
	done        chan struct{} // closed with the connection
}

// dialSocket connects to a socket server at host:port, where an IPv6 address stands in brackets. It
// reports a *HostNotFoundError when the host is unknown, refuses, or does not answer before the
// deadline of ctx or within socketTimeout, and ctx's error when ctx is cancelled first.
func dialSocket(ctx context.Context, address string) (*socket, error) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return nil, badSocketAddress(address)
	}
	dialer := net.Dialer{Timeout: socketTimeout, KeepAliveConfig: farend.KeepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		if cancelled(ctx) {
			return nil, timeout.During(ctx, "connecting to "+address)
		}
		return nil, &HostNotFoundError{Host: address, Err: dialReason(err)}
	}
	tcp := conn.(*net.TCPConn)
	// Go does so by default; the protocol's short messages depend on it.
	if err := tcp.SetNoDelay(true); err != nil {
		tcp.Close()
		return nil, fmt.Errorf("execnet: connecting to %s: %w", address, err)
	}
	return &socket{tcp: tcp, conn: tcp, address: address, done: make(chan struct{})}, nil
}

// cancelled reports whether ctx has ended, but not by its deadline.
func cancelled(ctx context.Context) bool {
	return ctx.Err() != nil && !errors.Is(timeout.Cause(ctx), timeout.Err)
}

func badSocketAddress(address string) error {
	return fmt.Errorf("execnet: %q is not the address of a socket server; write host:port, or [address]:port for IPv6", address)
}

// dialReason is why connecting failed, without the address, which HostNotFoundError names.
func dialReason(err error) error {
	var netError net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &netError) && netError.Timeout():
		return errtext.Wrap("no answer in time", timeout.Err)
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

// Read reads what the far end has sent.
func (s *socket) Read(b []byte) (int, error) {
	n, err := s.conn.Read(b)
	return n, s.explain(err, &s.readClosed)
}

// Write writes to the connection.
func (s *socket) Write(b []byte) (int, error) {
	n, err := s.conn.Write(b)
	return n, s.explain(err, &s.writeClosed)
}

// explain turns the error of a read or write into the one that says why: net.ErrClosed if
// that direction was closed here, a *TLSError if the server sent an alert.
func (s *socket) explain(err error, closed *bool) error {
	if err == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if *closed {
		return net.ErrClosed
	}
	return s.tlsAlert(err)
}

// CloseRead ends reading here. The far end is not told until CloseWrite closes the connection.
func (s *socket) CloseRead() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readClosed {
		return nil
	}
	s.readClosed = true
	if s.endSent {
		return s.close()
	}
	return s.tcp.SetReadDeadline(past)
}

// CloseWrite tells the far end that nothing more comes; it can still send. With TLS that is a
// message of its own: if the far end takes nothing, CloseWrite waits five seconds before it does
// without.
func (s *socket) CloseWrite() error {
	s.mu.Lock()
	first := !s.writeClosed
	s.writeClosed = true
	s.mu.Unlock() // TLS writes something now, for which Kill must not wait
	if !first {
		return nil
	}
	_ = s.tcp.SetWriteDeadline(past)
	if s.conn.CloseWrite() != nil {
		// The far end is gone and need not be told, or a write was interrupted inside a TLS record.
		_ = s.tcp.CloseWrite()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.endSent = true
	if s.readClosed {
		return s.close()
	}
	return nil
}

// past is a deadline that interrupts whoever reads or writes.
var past = time.Unix(1, 0)

// close closes the connection, if it is not closed yet. The caller holds mu.
func (s *socket) close() error {
	s.readClosed, s.writeClosed = true, true
	err := s.tcp.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	close(s.done)
	return err
}

// Wait blocks until the connection is closed in both directions, which whoever reads it does at its
// end, or until ctx ends, whose error it then returns.
func (s *socket) Wait(ctx context.Context) error {
	return farend.Await(ctx, s.done)
}

// Kill resets the connection: what was sent and not yet received is lost, and the far end's next
// read fails.
func (s *socket) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// It fails on a closed connection only.
	_ = s.tcp.SetLinger(0)
	return s.close()
}

// Exit tells nothing: nobody knows how the far end's interpreter ended.
func (s *socket) Exit() gatewaybase.Exit { return gatewaybase.Exit{} }

// WithoutProcess implements farend.WithoutProcess.
func (s *socket) WithoutProcess() {}

// RemoteAddress is the server's host:port.
func (s *socket) RemoteAddress() string { return s.address }
