package gatewayio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/farend"
)

// SocketTimeout bounds connecting to a socket server when the context has no earlier end.
const SocketTimeout = 30 * time.Second

// socketKeepAlive finds out within a minute that the far end's host is gone.
var socketKeepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 10 * time.Second, Count: 4}

// Socket is a TCP connection to a socket server that runs Python, as execnet's SocketIO is, or TLS
// over one. It implements gatewaybase.IO. How the interpreter at the other end ends cannot be
// known; Kill resets the connection.
type Socket struct {
	tcp  *net.TCPConn
	conn interface { // tcp itself, or TLS over it
		net.Conn
		CloseWrite() error
	}
	address string

	mu                      sync.Mutex // guards what follows
	readClosed, writeClosed bool
	done                    chan struct{} // closed with the connection
}

var _ gatewaybase.IO = (*Socket)(nil)

// DialSocket connects to a socket server at host:port, where an IPv6 address stands in brackets. It
// reports a *HostNotFoundError when the host is unknown, refuses, or does not answer before the
// deadline of ctx or within SocketTimeout, and ctx's error when ctx is cancelled first.
func DialSocket(ctx context.Context, address string) (*Socket, error) {
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return nil, badSocketAddress(address)
	}
	dialer := net.Dialer{Timeout: SocketTimeout, KeepAliveConfig: socketKeepAlive}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.DeadlineExceeded) {
			return nil, fmt.Errorf("execnet: connecting to %s: %w", address, cause)
		}
		return nil, &HostNotFoundError{Host: address, Err: dialReason(err)}
	}
	tcp := conn.(*net.TCPConn)
	// Go does so by default; the protocol's short messages depend on it.
	if err := tcp.SetNoDelay(true); err != nil {
		tcp.Close()
		return nil, fmt.Errorf("execnet: connecting to %s: %w", address, err)
	}
	return &Socket{tcp: tcp, conn: tcp, address: address, done: make(chan struct{})}, nil
}

func badSocketAddress(address string) error {
	return fmt.Errorf("execnet: %q is no address of a socket server; write host:port, or [address]:port for IPv6", address)
}

// dialReason is what a failed attempt to connect says, without the address once more.
func dialReason(err error) error {
	var timeout net.Error
	var op *net.OpError
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("no answer in time: %w", gatewaybase.ErrTimeout)
	case errors.As(err, &op):
		return op.Err
	}
	return err
}

// Read reads what the far end has sent.
func (s *Socket) Read(b []byte) (int, error) {
	n, err := s.conn.Read(b)
	return n, s.orClosed(err, &s.readClosed)
}

// Write writes to the connection.
func (s *Socket) Write(b []byte) (int, error) {
	n, err := s.conn.Write(b)
	return n, s.orClosed(err, &s.writeClosed)
}

// orClosed gives an error its right name when it is our own doing.
func (s *Socket) orClosed(err error, closed *bool) error {
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

// CloseRead ends reading here. The far end does not hear of it until CloseWrite closes the
// connection.
func (s *Socket) CloseRead() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.readClosed {
		return nil
	}
	s.readClosed = true
	if s.writeClosed {
		return s.close(s.conn)
	}
	return s.conn.SetReadDeadline(past)
}

// CloseWrite tells the far end that nothing more comes; it can still send.
func (s *Socket) CloseWrite() error {
	s.mu.Lock()
	if s.writeClosed {
		s.mu.Unlock()
		return nil
	}
	s.writeClosed = true
	if s.readClosed {
		defer s.mu.Unlock()
		return s.close(s.conn)
	}
	s.mu.Unlock() // TLS writes something, for which Kill must not wait
	_ = s.conn.SetWriteDeadline(past)
	if s.conn.CloseWrite() != nil {
		// The far end is gone, which is what it would have been told, or a write was given up
		// inside a TLS record.
		_ = s.tcp.CloseWrite()
	}
	return nil
}

// past is a deadline that frees whoever reads or writes.
var past = time.Unix(1, 0)

// close gives the connection back; conn is what to close of it. The caller holds mu.
func (s *Socket) close(conn net.Conn) error {
	s.readClosed, s.writeClosed = true, true
	err := conn.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	close(s.done)
	return err
}

// Wait blocks until the connection is closed in both directions, which whoever reads it does at its
// end, or until ctx ends, whose error it then returns.
func (s *Socket) Wait(ctx context.Context) error {
	return farend.Await(ctx, s.done)
}

// Kill resets the connection: what was sent and not yet received is lost, and the far end's next
// read fails.
func (s *Socket) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// It fails on a closed connection only.
	_ = s.tcp.SetLinger(0)
	return s.close(s.tcp)
}

// Exit tells nothing: nobody knows how the far end's interpreter ended.
func (s *Socket) Exit() gatewaybase.Exit { return gatewaybase.Exit{} }

// RemoteAddress is the server's host:port.
func (s *Socket) RemoteAddress() string { return s.address }
