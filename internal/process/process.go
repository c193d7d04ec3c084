// Package process runs commands whose stdin and stdout are a gateway's byte pipe.
package process

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

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
	child  Child
	stdin  *os.File
	now    *pipe.Writer // of stdin
	stdout *reader
	stderr *reader
	tail   farend.Tail

	reaped chan struct{} // closed once exit is set
	exit   farend.Exit   // without Stderr
	done   chan struct{} // closed once nothing of the process is left here but stdout
}

var _ gatewaybase.IO = (*Process)(nil)

// Child is a process that runs.
type Child interface {
	PID() int
	Args() []string    // its command line
	Wait() farend.Exit // waits until it has ended, and reaps it
	Kill() error       // ends it by force; a process that has ended is no error
}

// Start runs a command. A nil env passes this process's environment on. What the command writes to
// its stderr is copied to stderr, unless that is nil, and its end is kept for Exit (farend.Tail);
// when stderr's Write fails, the rest is only kept. A Write that blocks holds up the command once 1
// MiB waits and its pipe is full, but not Wait: at the command's end a Write has half a second. The
// error is a *cmdline.StartError, or says that no pipe could be made.
//
// The command inherits the files in inherited: as its descriptors 3, 4 ..., or, on Windows, as
// handles of the same values.
func Start(argv []string, env []string, stderr io.Writer, inherited ...*os.File) (*Process, error) {
	if len(argv) == 0 {
		return nil, &cmdline.StartError{Err: exec.ErrNotFound}
	}
	return Run(argv[0], stderr, func(files [3]*os.File) (Child, error) {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = env
		if err := inherit(cmd, inherited); err != nil {
			return nil, fmt.Errorf("execnet: cannot pass files on to %s: %w", argv[0], err)
		}
		// As *os.File they go to the child as they are; with anything else exec.Cmd would copy
		// through goroutines of its own.
		cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
		if err := cmd.Start(); err != nil {
			return nil, &cmdline.StartError{Args: argv, Err: err}
		}
		return command{cmd}, nil
	})
}

// command is a Child that os/exec has started.
type command struct{ cmd *exec.Cmd }

func (c command) PID() int       { return c.cmd.Process.Pid }
func (c command) Args() []string { return c.cmd.Args }

func (c command) Wait() farend.Exit {
	// Its error repeats what ProcessState says.
	_ = c.cmd.Wait()
	return farend.ExitOf(c.cmd.ProcessState)
}

func (c command) Kill() error { return Kill(c.cmd.Process) }

// Run is Start of a process that start makes, with files as its stdin, stdout and stderr. name is
// what errors call it.
func Run(name string, stderr io.Writer, start func(files [3]*os.File) (Child, error)) (*Process, error) {
	p := &Process{reaped: make(chan struct{}), done: make(chan struct{})}
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
			return nil, fmt.Errorf("execnet: cannot make a pipe to %s: %w", name, err)
		}
		files = append(files, ours[fd], theirs[fd])
	}
	var err error
	if p.child, err = start(theirs); err != nil {
		closeAll()
		return nil, err
	}
	for _, f := range theirs {
		f.Close()
	}
	p.now = pipe.NewWriter(ours[0])
	p.stdin, p.stdout, p.stderr = ours[0], newReader(ours[1]), newReader(ours[2])

	copied := make(chan struct{})
	outlet := farend.NewOutlet(cmp.Or(stderr, io.Discard))
	go func() {
		defer close(copied)
		p.copyStderr(outlet)
	}()
	go p.reap(outlet, copied)
	return p, nil
}

// lastWords is how long stderr is read when the process has died. The watchdog of a Python worker
// writes there what the worker has printed last. It ends at once then, and stderr with it, so only
// a process that has been left behind makes this time pass.
const lastWords = 250 * time.Millisecond

// reap waits for the process's end, frees whoever is blocked on its pipes and closes what is left
// of them here.
func (p *Process) reap(outlet *farend.Outlet, copied <-chan struct{}) {
	p.exit = p.child.Wait()
	close(p.reaped)
	p.stdin.Close()
	p.stdout.processDied(0)
	p.stderr.processDied(lastWords)
	outlet.End()
	<-copied
	_ = outlet.Flush()
	close(p.done)
}

func (p *Process) copyStderr(to *farend.Outlet) {
	defer p.stderr.file.Close()
	buf := make([]byte, 8<<10)
	for {
		n, err := p.stderr.Read(buf)
		_, _ = p.tail.Write(buf[:n])
		_, _ = to.Write(buf[:n])
		if err != nil {
			return
		}
	}
}

// PID is the process's id on this machine. It means nothing once Exit is known.
func (p *Process) PID() int { return p.child.PID() }

// Args is the command line that runs.
func (p *Process) Args() []string { return p.child.Args() }

// Read reads from the process's stdout.
func (p *Process) Read(b []byte) (int, error) { return p.stdout.Read(b) }

// InterruptRead interrupts a Read; see farend.ReadInterrupter.
func (p *Process) InterruptRead() { p.stdout.interrupt() }

// Write writes to the process's stdin. Once the process has died or CloseWrite was called, the
// error is os.ErrClosed or the system's error for a broken pipe.
func (p *Process) Write(b []byte) (int, error) { return pipe.Write(p.stdin, b) }

// WriteNow implements farend.ImmediateWriter.
func (p *Process) WriteNow(b []byte) int { return p.now.WriteNow(b) }

// WriteFile implements farend.FileWriter.
func (p *Process) WriteFile() *os.File { return p.stdin }

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
	if err := p.child.Kill(); err != nil {
		return fmt.Errorf("execnet: cannot kill process %d: %w", p.PID(), err)
	}
	return nil
}

// Exit tells how the process ended. Its Stderr is complete once Wait has returned.
func (p *Process) Exit() gatewaybase.Exit {
	var exit gatewaybase.Exit
	select {
	case <-p.reaped:
		exit = p.exit
	default:
	}
	exit.Stderr = p.tail.String()
	return exit
}

// RemoteAddress is empty: the process runs here.
func (p *Process) RemoteAddress() string { return "" }
