package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
)

// grace is how long a worker that was told to end may take before it is killed.
const grace = 3 * time.Second

// Command is how a worker process is started: it speaks to its driver over stdin and stdout.
type Command struct {
	// Args is the program and its arguments.
	Args []string
	// Env is the worker's environment; nil means this process's own.
	Env []string
	// Stderr gets what workers write to their stderr; nil discards it. It is written to by several
	// goroutines at once when several workers run. A Write that blocks holds up the workers.
	Stderr io.Writer
}

// WorkerError says that a worker did not end in order.
type WorkerError struct {
	PID int
	// Exit is how it ended; its Stderr is empty.
	Exit gatewaybase.Exit
}

func (e *WorkerError) Error() string {
	return fmt.Sprintf("worker %d ended: %s", e.PID, exitText(e.Exit))
}

func exitText(exit gatewaybase.Exit) string {
	switch {
	case exit.Signal != nil:
		return fmt.Sprintf("signal: %v", exit.Signal)
	case exit.Known:
		return fmt.Sprintf("exit status %d", exit.Code)
	}
	return "nobody knows how"
}

// ServeConn gives conn to a worker process and waits for its end. It owns conn, which is closed
// when it returns.
//
// No process is started before the connection's first bytes look like a driver's first line
// (protocol.md section 7.3); if they do not come within a minute, or look like anything else, the
// error is a *NotExecnetError. On Unix the process gets a TCP or Unix socket as its stdin and
// stdout, without a copy in between; the bytes of other connections (TLS) pass through this
// process, and so do those of all connections on Windows.
//
// When ctx ends, the worker finds the end of its stdin, is killed if it is not gone within three
// seconds, and is always reaped; the error is then ctx's. A worker that does not end with status 0
// makes a *WorkerError; a *gatewayio.StartError says that none could be started.
func (c Command) ServeConn(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	ahead, err := greet(ctx, conn)
	if err != nil {
		return err
	}
	pid := 0
	exit, err := c.run(ctx, conn, ahead, func(started int) { pid = started })
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case exit.Signal != nil || exit.Code != 0:
		return &WorkerError{PID: pid, Exit: exit}
	}
	return nil
}

// run gives conn, from which ahead was read, to a worker, whose id it tells, and sees both to their
// end.
func (c Command) run(ctx context.Context, conn net.Conn, ahead []byte, started func(pid int)) (gatewaybase.Exit, error) {
	if len(c.Args) == 0 {
		return gatewaybase.Exit{}, &gatewayio.StartError{Err: errors.New("it is empty")}
	}
	if socket, ok := conn.(handle); ok && canHandOver {
		return c.handOver(ctx, socket, started)
	}
	r, err := c.relay(ahead, conn, c.Stderr, 0)
	if err != nil {
		return gatewaybase.Exit{}, err
	}
	started(r.process.PID())
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(past) })
	exit := r.wait(ctx)
	// What the worker has said may still be on its way to somebody who is slow to read, or who does
	// not.
	_ = conn.SetWriteDeadline(time.Now().Add(drainTime))
	if ctx.Err() != nil {
		_ = conn.SetWriteDeadline(past)
	}
	r.drain()
	stop()
	conn.Close()
	r.finish()
	return exit, nil
}

// drainTime is how long the last output of a worker that has ended may take to be delivered.
const drainTime = 30 * time.Second

// past is a deadline that frees whoever reads or writes.
var past = time.Unix(1, 0)

// handle is a connection whose descriptor a process can have: *net.TCPConn and *net.UnixConn.
type handle interface {
	net.Conn
	File() (*os.File, error)
	CloseRead() error
	CloseWrite() error
}

// handOver starts a worker whose stdin and stdout are the connection, and waits for its end. The
// connection is kept open here too, to be able to shut it down: that is how the worker hears of
// ctx's end, and how the driver hears of the worker's even if a process that the worker started
// still holds it.
func (c Command) handOver(ctx context.Context, conn handle, started func(pid int)) (gatewaybase.Exit, error) {
	theirs, err := conn.File()
	if err != nil {
		return gatewaybase.Exit{}, err
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Env, theirs, theirs, c.Stderr
	cmd.Cancel = func() error {
		// They fail when the driver was faster, which is as good.
		_ = conn.CloseRead()
		_ = conn.CloseWrite()
		return nil
	}
	cmd.WaitDelay = grace
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return gatewaybase.Exit{}, &gatewayio.StartError{Args: c.Args, Err: err}
	}
	started(cmd.Process.Pid)
	// What it reports is in ProcessState, or is ctx's end, or a stderr that somebody else holds.
	_ = cmd.Wait()
	_ = conn.CloseWrite()
	return exitOf(cmd.ProcessState), nil
}
