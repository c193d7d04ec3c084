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
	"github.com/go-execnet/execnet/internal/farend"
)

// gracePeriod is how long a worker may take to end before it is killed.
const gracePeriod = 3 * time.Second

// Command is the program that runs as a worker. Its stdin and stdout are the connection to its
// driver.
type Command struct {
	// Args is the program and its arguments.
	Args []string
	// Env is the worker's environment; nil means this process's own.
	Env []string
	// Stderr gets what workers write to their stderr; nil discards it. Several goroutines write to
	// it at once if there are several workers. A Write that blocks makes the workers wait.
	Stderr io.Writer
}

// workerError says that a worker failed.
type workerError struct {
	pid  int
	exit gatewaybase.Exit // without Stderr
}

func (e *workerError) Error() string {
	return fmt.Sprintf("execnet: worker %d ended%v", e.pid, e.exit)
}

// ServeConn starts a worker for conn, waits until it has ended, and closes conn.
//
// It starts no process before the first bytes of conn look like a driver's first line
// ([protocol.md section 7.3]). If they do not arrive within a minute, or look like anything else,
// ServeConn returns an error. On Unix the process gets a TCP or Unix socket itself as its stdin and
// stdout. The bytes of other connections (TLS) are copied by this process, and so are those of all
// connections on Windows.
//
// When ctx ends, the worker reads the end of its stdin. It is killed if it has not ended three
// seconds later, and ServeConn returns ctx's error. It also returns an error if the worker ends
// with another status than 0. A [*gatewayio.StartError] says that no worker could be started.
//
// [protocol.md section 7.3]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#73-the-first-line
func (c Command) ServeConn(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	ahead, err := awaitFirstLine(ctx, conn)
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
		return &workerError{pid, exit}
	}
	return nil
}

// run starts a worker for conn, from which ahead was read already, calls started with the worker's
// process id, and returns when the worker has ended and everything is copied.
func (c Command) run(ctx context.Context, conn net.Conn, ahead []byte, started func(pid int)) (gatewaybase.Exit, error) {
	if len(c.Args) == 0 {
		return gatewaybase.Exit{}, &gatewayio.StartError{Err: errors.New("it is empty")}
	}
	if socket, ok := conn.(fileConn); ok && canHandOver {
		return c.handOver(ctx, socket, started)
	}
	r, err := c.relay(ahead, conn, c.Stderr, 0)
	if err != nil {
		return gatewaybase.Exit{}, err
	}
	started(r.process.PID())
	stop := context.AfterFunc(ctx, func() { _ = conn.SetWriteDeadline(past) })
	exit := r.wait(ctx)
	// The worker's last output may not be delivered yet, and the driver may read slowly or not at
	// all.
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

// drainTime is how long it may take to deliver the last output of a worker that has ended.
const drainTime = 30 * time.Second

// past is a deadline that ends reads and writes at once.
var past = time.Unix(1, 0)

// fileConn is a connection whose descriptor another process can use: a *net.TCPConn or
// *net.UnixConn.
type fileConn interface {
	net.Conn
	File() (*os.File, error)
	CloseRead() error
	CloseWrite() error
}

// handOver starts a worker whose stdin and stdout are the connection, and waits for its end. This
// process keeps the connection open, too, so that it can shut it down: then the worker reads the
// end of its stdin, when ctx ends, and the driver reads the end of the worker's output, when the
// worker has ended, even if a process that the worker started still has the connection.
func (c Command) handOver(ctx context.Context, conn fileConn, started func(pid int)) (gatewaybase.Exit, error) {
	theirs, err := conn.File()
	if err != nil {
		return gatewaybase.Exit{}, err
	}
	cmd := exec.CommandContext(ctx, c.Args[0], c.Args[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.Env, theirs, theirs, c.Stderr
	cmd.Cancel = func() error {
		// They fail if the driver has closed the connection already.
		_ = conn.CloseRead()
		_ = conn.CloseWrite()
		return nil
	}
	cmd.WaitDelay = gracePeriod
	err = cmd.Start()
	theirs.Close()
	if err != nil {
		return gatewaybase.Exit{}, &gatewayio.StartError{Args: c.Args, Err: err}
	}
	started(cmd.Process.Pid)
	// Its error repeats what ProcessState says, or is ctx's, or says that another process still has
	// stderr open.
	_ = cmd.Wait()
	_ = conn.CloseWrite()
	return farend.ExitOf(cmd.ProcessState), nil
}
