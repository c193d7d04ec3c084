// Package netpipe makes a gateway's byte pipe of a TCP connection, or of TLS over one.
package netpipe

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
)

// Pipe is a connection to another process, as execnet's SocketIO is. It implements gatewaybase.IO.
// How the process at the other end ends cannot be known; Kill resets the connection.
type Pipe struct {
	tcp  *net.TCPConn
	conn Conn
	// address is what RemoteAddress returns.
	address string
	// explain turns an error of the connection into one that says more, if there is one.
	explain func(error) error

	mu          sync.Mutex // guards what follows
	readClosed  bool
	writeClosed bool
	endSent     bool          // CloseWrite has told the far end, or tried to
	done        chan struct{} // closed with the connection
}

// Conn is a connection that can be closed in one direction: TCP, or TLS over it.
type Conn interface {
	net.Conn
	CloseWrite() error
}

// New returns the pipe over conn, which is tcp itself or TLS over a [Transport] of tcp. explain, if
// it is not nil, turns errors of conn into those that Read and Write return.
func New(tcp *net.TCPConn, conn Conn, address string, explain func(error) error) *Pipe {
	if explain == nil {
		explain = func(err error) error { return err }
	}
	return &Pipe{tcp: tcp, conn: conn, address: address, explain: explain, done: make(chan struct{})}
}

// Transport is the TCP connection below TLS. A write that fails may leave a part of a record, and
// the other end can decode nothing behind it. So later writes fail at once; otherwise the one that
// tells the end would wait for a far end that takes nothing.
type Transport struct {
	*net.TCPConn
	failed error // of the first write that failed; TLS writes with a lock held
}

// Write implements net.Conn.
func (t *Transport) Write(b []byte) (n int, err error) {
	if t.failed != nil {
		return 0, t.failed
	}
	n, t.failed = t.TCPConn.Write(b)
	return n, t.failed
}

// Read reads what the far end has sent.
func (p *Pipe) Read(b []byte) (int, error) {
	n, err := p.conn.Read(b)
	return n, p.reason(err, &p.readClosed)
}

// Drain reads and drops what still comes, until the far end has closed the connection altogether.
// The error is another reason why nothing more comes, as that it was reset or closed here. Nobody
// may read meanwhile, or later.
func (p *Pipe) Drain() error {
	_, err := io.Copy(io.Discard, p.conn)
	if err == nil && p.conn != Conn(p.tcp) { // TLS has an end of its own
		_, err = io.Copy(io.Discard, p.tcp)
	}
	return err
}

// Write writes to the connection.
func (p *Pipe) Write(b []byte) (int, error) {
	n, err := p.conn.Write(b)
	return n, p.reason(err, &p.writeClosed)
}

// reason turns the error of a read or write into the one that says why: net.ErrClosed if that
// direction was closed here, else what explain says.
func (p *Pipe) reason(err error, closed *bool) error {
	if err == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if *closed {
		return net.ErrClosed
	}
	return p.explain(err)
}

// CloseRead ends reading here. The far end is not told until CloseWrite closes the connection.
func (p *Pipe) CloseRead() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.readClosed {
		return nil
	}
	p.readClosed = true
	if p.endSent {
		return p.close()
	}
	return p.tcp.SetReadDeadline(past)
}

// CloseWrite tells the far end that nothing more comes; it can still send. With TLS that is a
// message of its own: if the far end takes nothing, CloseWrite waits five seconds before it does
// without.
func (p *Pipe) CloseWrite() error {
	p.mu.Lock()
	first := !p.writeClosed
	p.writeClosed = true
	p.mu.Unlock() // TLS writes something now, for which Kill must not wait
	if !first {
		return nil
	}
	_ = p.tcp.SetWriteDeadline(past)
	if p.conn.CloseWrite() != nil {
		// The far end is gone and need not be told, or a write was interrupted inside a TLS record.
		_ = p.tcp.CloseWrite()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.endSent = true
	if p.readClosed {
		return p.close()
	}
	return nil
}

// past is a deadline that interrupts whoever reads or writes.
var past = time.Unix(1, 0)

// close closes the connection, if it is not closed yet. The caller holds mu.
func (p *Pipe) close() error {
	p.readClosed, p.writeClosed = true, true
	err := p.tcp.Close()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	close(p.done)
	return err
}

// Done is closed with the connection.
func (p *Pipe) Done() <-chan struct{} { return p.done }

// Wait blocks until the connection is closed in both directions, which whoever reads it does at its
// end, or until ctx ends, whose error it then returns.
func (p *Pipe) Wait(ctx context.Context) error { return farend.Await(ctx, p.done) }

// Kill resets the connection: what was sent and not yet received is lost, and the far end's next
// read fails.
func (p *Pipe) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	// It fails on a closed connection only.
	_ = p.tcp.SetLinger(0)
	return p.close()
}

// Exit tells nothing: nobody knows how the process at the other end ended.
func (p *Pipe) Exit() farend.Exit { return farend.Exit{} }

// TellEnd implements farend.EndTeller.
func (p *Pipe) TellEnd(context.Context) string { return p.address + " closed the connection" }

// RemoteAddress is the far end's host:port.
func (p *Pipe) RemoteAddress() string { return p.address }
