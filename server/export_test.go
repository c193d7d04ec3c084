//go:build unix

package server

import (
	"context"
	"net"
	"testing"
)

// GoWorker is a Command that runs WorkerMain, Python one that runs Python as sshd would.
func GoWorker(t *testing.T) Command { return worker(t, "go") }
func Python(t *testing.T) Command   { return python(t) }

// AsWorker is a variable that makes the test's program a Go worker.
const AsWorker = standIn + "=go"

// Running is a server that a test has started.
type Running struct {
	Addr, Port string
	Config     string // an ssh configuration that names an ssh server box
	Dir        string
	Log        *lineLog
	End        func() error
}

// Await waits for a text in the log.
func (r Running) Await(t *testing.T, text string) { r.Log.await(t, text, 1) }

func StartSSH(t *testing.T, command Command) Running {
	s := startSSH(t, command)
	return Running{Addr: s.addr, Port: s.port, Config: s.config, Dir: s.dir, Log: s.log, End: s.end}
}

func StartSocket(t *testing.T, s Socket) Running {
	l, log := listen(t), newLog()
	s.Log = log
	end := serving(t, func(ctx context.Context) error { return s.Serve(ctx, l) })
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return Running{Addr: l.Addr().String(), Port: port, Log: log, End: end}
}
