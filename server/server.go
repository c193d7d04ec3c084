// Package server gives whatever connects to it, over a socket or an ssh session, a worker process
// of its own.
//
// A [Command] says how a worker is started; it speaks the bootstrap on its stdin and stdout
// (protocol.md section 7). A process each, because the folder, the niceness, the environment and
// the crashes of remote code are a process's. [Socket] serves plain or TLS connections, as
// execnet's socketserver script does for one connection at a time; [SSH] serves ssh sessions that
// ask for an interpreter with the bootstrap line, and nothing else.
package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
)

// DefaultMaxConns is how many connections a server has at once unless told otherwise.
const DefaultMaxConns = 1000

// How long accepting pauses after an error, mostly for want of descriptors.
const (
	firstAcceptPause = 5 * time.Millisecond
	lastAcceptPause  = time.Second
)

// accept serves the connections of a listener, each in a goroutine of its own and at most most at
// once, until ctx ends or somebody closes the listener. It returns when nothing is served any more:
// ctx's error, or nil for a closed listener.
func accept(ctx context.Context, listener net.Listener, most int, log *eventLog, serve func(net.Conn)) error {
	var running sync.WaitGroup
	defer running.Wait()
	stop := context.AfterFunc(ctx, func() { listener.Close() })
	defer stop()
	defer listener.Close()
	slots := make(chan struct{}, most)
	pause, full := firstAcceptPause, false
	for {
		conn, err := listener.Accept()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return context.Cause(ctx)
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			if pause == firstAcceptPause { // the first of a row is enough
				log.printf("cannot accept connections: %v; trying again", err)
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
			pause = min(2*pause, lastAcceptPause)
			continue
		}
		pause = firstAcceptPause
		select {
		case slots <- struct{}{}:
			full = false
		default:
			if !full {
				log.printf("%v: refused, as there are %d connections already; so will be others", conn.RemoteAddr(), most)
			}
			full = true
			conn.Close()
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetKeepAliveConfig(farend.KeepAlive) // a connection that is gone already is found out by reading
		}
		running.Go(func() {
			defer func() { <-slots }()
			serve(conn)
		})
	}
}

// eventLog writes one line for each event.
type eventLog struct {
	mu sync.Mutex // held while a line is written
	w  io.Writer  // nil: nobody wants to know
}

func (l *eventLog) printf(format string, args ...any) {
	if l.w == nil {
		return
	}
	line := time.Now().Format(time.RFC3339) + " " + fmt.Sprintf(format, args...) + "\n"
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = io.WriteString(l.w, line) // a log that cannot be written must not end the workers
}
