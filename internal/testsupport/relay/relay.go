// Package relay puts a network of a kind in front of a server on this machine, for tests and
// measurements: a slow one, one that is cut, one that falls silent.
package relay

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Relay is a TCP relay on a loopback port.
type Relay struct {
	// Addr is where it listens, Port the port alone.
	Addr, Port string

	listener net.Listener
	running  sync.WaitGroup

	mu       sync.Mutex // guards what follows
	thaw     *sync.Cond
	conns    map[net.Conn]struct{}
	accepted int
	turns    int
	answered bool // the last bytes came from the server
	delay    time.Duration
	frozen   bool
	closed   bool
}

// Start starts a relay to the address of a server.
func Start(to string) (*Relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &Relay{Addr: listener.Addr().String(), listener: listener, conns: map[net.Conn]struct{}{}}
	r.thaw = sync.NewCond(&r.mu)
	_, r.Port, _ = net.SplitHostPort(r.Addr)
	r.running.Go(func() { r.accept(to) })
	return r, nil
}

// Close ends the relay and every connection through it.
func (r *Relay) Close() error {
	err := r.listener.Close()
	r.mu.Lock()
	r.closed = true
	r.thaw.Broadcast()
	r.mu.Unlock()
	r.Cut()
	r.running.Wait()
	return err
}

// Cut closes every connection that stands.
func (r *Relay) Cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn := range r.conns {
		conn.Close()
	}
}

// Freeze lets nothing through any more, as a cut cable does: the connections stay, and nobody is
// told.
func (r *Relay) Freeze() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frozen = true
}

// SetDelay holds every byte back for a while, each way, on the connections made from now on: a byte
// leaves the relay that long after it came in, however much else is under way. TCP's own handshake
// is not held back, since the kernel does it.
func (r *Relay) SetDelay(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
}

// Delay is what SetDelay has set.
func (r *Relay) Delay() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delay
}

// Accepted is how many connections were made so far.
func (r *Relay) Accepted() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.accepted
}

// Turns is how often a client has sent something after the server had. On one connection it is the
// number of the round trips that were waited for, on a machine of any speed.
func (r *Relay) Turns() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.turns
}

// noteTurn notes that the server has sent something, or a client.
func (r *Relay) noteTurn(server bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.answered && !server {
		r.turns++
	}
	r.answered = server
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
		r.conns[near], r.conns[far] = struct{}{}, struct{}{}
		delay := r.delay
		if r.closed {
			near.Close()
			far.Close()
		}
		r.mu.Unlock()
		r.running.Go(func() {
			defer r.forget(near, far)
			var ways sync.WaitGroup
			ways.Go(func() { r.carry(near, far, delay, false) })
			ways.Go(func() { r.carry(far, near, delay, true) })
			ways.Wait()
		})
	}
}

func (r *Relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		conn.Close()
		delete(r.conns, conn)
	}
}

// parcel is what came in at one moment.
type parcel struct {
	data []byte
	due  time.Time // when it goes out
}

// underway is how many parcels one way of a connection holds at most; a network has a limit too.
const underway = 1 << 12

// carry moves bytes one way, each delay later, until the sender ends or either side is closed.
// server says that the sender is the server.
func (r *Relay) carry(from, to net.Conn, delay time.Duration, server bool) {
	parcels := make(chan parcel, underway)
	var sending sync.WaitGroup
	sending.Go(func() {
		for p := range parcels {
			time.Sleep(time.Until(p.due)) // those behind it have been waiting meanwhile
			r.waitThawed()
			if _, err := to.Write(p.data); err != nil {
				from.Close()
			}
		}
	})
	buf := make([]byte, 32<<10)
	var err error
	for err == nil {
		var n int
		n, err = from.Read(buf)
		if n > 0 {
			r.noteTurn(server)
			parcels <- parcel{append([]byte(nil), buf[:n]...), time.Now().Add(delay)}
		}
	}
	parcels <- parcel{due: time.Now().Add(delay)} // the end takes as long as the bytes before it
	close(parcels)
	sending.Wait()
	half, ok := to.(*net.TCPConn)
	if !errors.Is(err, io.EOF) || !ok || half.CloseWrite() != nil {
		to.Close()
	}
}

func (r *Relay) waitThawed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.frozen && !r.closed {
		r.thaw.Wait()
	}
}
