package sshdtest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Relay is a TCP relay in front of an address, to cut or to silence connections in the middle.
type Relay struct {
	// Addr is where it listens, Port the port alone.
	Addr, Port string

	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex // guards the fields below
	conns    []net.Conn
	accepted int
	frozen   bool
	thaw     *sync.Cond
	closed   bool
}

// NewRelay starts a relay that ends with the test.
func NewRelay(tb testing.TB, to string) *Relay {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	r := &Relay{Addr: listener.Addr().String(), listener: listener}
	r.thaw = sync.NewCond(&r.mu)
	_, r.Port, _ = net.SplitHostPort(r.Addr)
	r.running.Go(func() { r.accept(to) })
	tb.Cleanup(func() {
		listener.Close()
		r.Cut()
		r.mu.Lock()
		r.closed = true
		r.thaw.Broadcast()
		r.mu.Unlock()
		r.running.Wait()
	})
	return r
}

// Accepted is how many connections were made so far.
func (r *Relay) Accepted() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted
}

// Cut closes every connection that stands.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range r.conns {
		conn.Close()
	}
	r.conns = nil
}

// Freeze lets nothing through any more, as a cut cable does: the connections stay, and nobody is told.
func (r *Relay) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frozen = true
}

func (r *Relay) accept(to string) {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", to)
		if err != nil {
			near.Close()
			continue
		}
		r.mu.Lock()
		r.accepted++
		if r.closed {
			near.Close()
			far.Close()
		}
		r.conns = append(r.conns, near, far)
		r.mu.Unlock()
		r.running.Go(func() { r.copy(near, far) })
		r.running.Go(func() { r.copy(far, near) })
	}
}

func (r *Relay) copy(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		r.mu.Lock()
		for r.frozen && !r.closed {
			r.thaw.Wait()
		}
		r.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				from.Close()
				return
			}
		}
		if err == io.EOF {
			if half, ok := to.(*net.TCPConn); ok {
				_ = half.CloseWrite()
			}
			return
		}
		if err != nil {
			to.Close()
			return
		}
	}
}
