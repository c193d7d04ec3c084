// Package server starts a worker process for each driver that connects over a socket or over ssh.
//
// A [Command] says which program the worker is; the worker reads the bootstrap on its stdin and
// answers on its stdout ([protocol.md section 7]). Each connection gets a process of its own,
// because remote code can change a process's folder, niceness and environment, and can crash it.
// [Socket] serves plain or TLS connections, as execnet's script socketserver does for one
// connection at a time. [SSH] serves ssh sessions that ask for an interpreter with the bootstrap
// line, and nothing else.
//
// [protocol.md section 7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#7-bootstrap
package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
)

// defaultMaxConns is how many connections a server has at once if its MaxConns is 0.
const defaultMaxConns = 1000

// How long accepting pauses after an error, which mostly means that there are no more descriptors.
const (
	firstAcceptPause = 5 * time.Millisecond
	lastAcceptPause  = time.Second
)

// accept calls serve for each connection of a listener, in a goroutine of its own, for at most most
// of them at once, until ctx ends or the listener is closed. It returns when all those calls have
// returned: ctx's cause, or nil for a closed listener.
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
			if pause == firstAcceptPause { // of several errors in a row the first is logged
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
				log.printf("%v: refused, as there are %d connections already; further ones are refused without a line", conn.RemoteAddr(), most)
			}
			full = true
			conn.Close()
			continue
		}
		if tcp, ok := conn.(*net.TCPConn); ok {
			// It fails only if the connection is closed, and then so does reading.
			_ = tcp.SetKeepAliveConfig(farend.KeepAlive)
		}
		running.Go(func() {
			defer func() { <-slots }()
			serve(conn)
		})
	}
}

// eventLog writes one line for each event. Nobody waits for its writer.
type eventLog struct{ outlet *farend.Outlet }

// newEventLog returns a log; a nil writer discards the lines.
func newEventLog(w io.Writer) *eventLog { return &eventLog{farend.NewOutlet(cmp.Or(w, io.Discard))} }

func (l *eventLog) printf(format string, args ...any) {
	l.outlet.Offer([]byte(time.Now().Format(time.RFC3339) + " " + fmt.Sprintf(format, args...) + "\n"))
}
