package main

import (
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// relay is a TCP relay that holds every byte back for a while, each way: a byte leaves it that long after it came in,
// however much else is under way. TCP's own handshake is not held back, since the kernel does it.
type relay struct {
	port     string
	delay    atomic.Int64 // nanoseconds, for connections made from now on
	listener net.Listener
	running  sync.WaitGroup

	mu     sync.Mutex // guards what follows
	conns  map[net.Conn]struct{}
	closed bool
}

func startRelay(to string) (*relay, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &relay{listener: listener, conns: map[net.Conn]struct{}{}}
	_, r.port, _ = net.SplitHostPort(listener.Addr().String())
	r.running.Go(func() { r.accept(to) })
	return r, nil
}

func (r *relay) accept(to string) {
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
		r.conns[near], r.conns[far] = struct{}{}, struct{}{}
		if r.closed {
			near.Close()
			far.Close()
		}
		r.mu.Unlock()
		r.running.Go(func() {
			defer r.forget(near, far)
			delay := time.Duration(r.delay.Load())
			var ways sync.WaitGroup
			ways.Go(func() { carry(near, far, delay) })
			ways.Go(func() { carry(far, near, delay) })
			ways.Wait()
		})
	}
}

func (r *relay) forget(conns ...net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, conn := range conns {
		conn.Close()
		delete(r.conns, conn)
	}
}

// close ends every connection.
func (r *relay) close() error {
	err := r.listener.Close()
	r.mu.Lock()
	r.closed = true
	for conn := range r.conns {
		conn.Close()
	}
	r.mu.Unlock()
	r.running.Wait()
	return err
}

// parcel is what came in at one moment.
type parcel struct {
	data []byte
	due  time.Time // when it goes out
}

// underway is how many parcels one way of a connection holds at most; a network has a limit too.
const underway = 1 << 12

// carry moves bytes one way, each delay later, until the sender ends or either side is closed.
func carry(from, to net.Conn, delay time.Duration) {
	parcels := make(chan parcel, underway)
	var sending sync.WaitGroup
	sending.Go(func() {
		for p := range parcels {
			time.Sleep(time.Until(p.due)) // those behind it have been waiting meanwhile
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
