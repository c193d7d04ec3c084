package server

import (
	"context"
	"net"
	"os"
	"os/exec"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
)

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
