// Package process runs commands whose stdin and stdout are a gateway's byte pipe.
package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pipe"
)

// Process is a running command whose stdin and stdout are a gateway's byte pipe, as execnet's
// Popen2IOMaster is. It implements gatewaybase.IO.
//
// The command stays in this process's group, so that Ctrl-C at a terminal reaches it as it does
// with execnet. It is always reaped, whether or not anybody waits for it. When it has died, a Write
// under way or a later one fails, and Read returns what the pipe held at that moment and then
// io.EOF, even if a process that the command started still holds the pipe open.
//
// Our end of stdout is closed when Read has returned io.EOF, or by CloseRead; everything else once
// the process has died.
type Process struct {
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *reader
	stderr *reader
	tail   farend.Tail

	reaped chan struct{} // closed once cmd.ProcessState is set
	done   chan struct{} // closed once nothing of the process is left here but stdout
}

var _ gatewaybase.IO = (*Process)(nil)

// Start runs a command. A nil env passes this process's environment on. What the command writes to
// its stderr is copied to stderr, unless that is nil, and its last 8 KiB are kept for Exit; when
// stderr's Write fails, the rest is only kept. A Write that blocks holds up the command, once its
// pipe is full, and Wait. The error is a *cmdline.StartError, or says that no pipe could be made.
func Start(argv []string, env []string, stderr io.Writer) (*Process, error) {
	if len(argv) == 0 {
		return nil, &cmdline.StartError{Err: exec.ErrNotFound}
	}
	p := &Process{reaped: make(chan struct{}), done: make(chan struct{})}
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Env = env

	var files []*os.File
	closeAll := func() {
		for _, f := range files {
			f.Close()
		}
	}
	var ours, theirs [3]*os.File
	for fd := range ours {
		var err error
		ours[fd], theirs[fd], err = pipe.New(fd == 0)
		if err != nil {
			closeAll()
			return nil, fmt.Errorf("execnet: cannot make a pipe to %s: %w", argv[0], err)
		}
		files = append(files, ours[fd], theirs[fd])
	}
	// As *os.File they go to the child as they are; with anything else exec.Cmd would copy through
	// goroutines of its own.
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = theirs[0], theirs[1], theirs[2]
	if err := p.cmd.Start(); err != nil {
		closeAll()
		return nil, &cmdline.StartError{Args: argv, Err: err}
	}
	for _, f := range theirs {
		f.Close()
	}
	p.stdin, p.stdout, p.stderr = ours[0], newReader(ours[1]), newReader(ours[2])

	copied := make(chan struct{})
	go func() {
		defer close(copied)
		p.copyStderr(stderr)
	}()
	go p.reap(copied)
	return p, nil
}

// reap waits for the process's end, frees whoever is blocked on its pipes and closes what is left
// of them here.
func (p *Process) reap(copied <-chan struct{}) {
	// Its error repeats what ProcessState says.
	_ = p.cmd.Wait()
	close(p.reaped)
	p.stdin.Close()
	p.stdout.processDied()
	p.stderr.processDied()
	<-copied
	close(p.done)
}

func (p *Process) copyStderr(to io.Writer) {
	defer p.stderr.file.Close()
	buf := make([]byte, 8<<10)
	for {
		n, err := p.stderr.Read(buf)
		_, _ = p.tail.Write(buf[:n])
		if n > 0 && to != nil {
			if _, failed := to.Write(buf[:n]); failed != nil {
				to = nil
			}
		}
		if err != nil {
			return
		}
	}
}

// PID is the process's id on this machine. It means nothing once Exit is known.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Args is the command line that runs.
func (p *Process) Args() []string { return p.cmd.Args }

// Read reads from the process's stdout.
func (p *Process) Read(b []byte) (int, error) { return p.stdout.Read(b) }

// InterruptRead interrupts a Read; see farend.ReadInterrupter.
func (p *Process) InterruptRead() { p.stdout.interrupt() }

// Write writes to the process's stdin. Once the process has died or CloseWrite was called, the
// error is os.ErrClosed or the system's error for a broken pipe.
func (p *Process) Write(b []byte) (int, error) { return pipe.Write(p.stdin, b) }

// CloseRead closes the process's stdout; the process's own writes fail from then on.
func (p *Process) CloseRead() error { return closeOnce(p.stdout.file) }

// CloseWrite closes the process's stdin, where it then finds the end of file.
func (p *Process) CloseWrite() error { return closeOnce(p.stdin) }

func closeOnce(f *os.File) error {
	if err := f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	return nil
}

// Wait blocks until the process is reaped and its stderr copied, or until ctx ends, whose error it
// then returns.
func (p *Process) Wait(ctx context.Context) error {
	return farend.Await(ctx, p.done)
}

// Kill ends the process with SIGKILL, or as Windows does it. What the process started lives on.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("execnet: cannot kill process %d: %w", p.PID(), err)
	}
	return nil
}

// Exit tells how the process ended. Its Stderr is complete once Wait has returned.
func (p *Process) Exit() gatewaybase.Exit {
	var exit gatewaybase.Exit
	select {
	case <-p.reaped:
		exit = farend.ExitOf(p.cmd.ProcessState)
	default:
	}
	exit.Stderr = p.tail.String()
	return exit
}

// RemoteAddress is empty: the process runs here.
func (p *Process) RemoteAddress() string { return "" }
