package dialback

import (
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/process"
)

// launcher is the launcher's process, as a process.Child.
type launcher struct {
	cmd    *exec.Cmd
	source string        // the part of the spec that names it
	ended  chan struct{} // closed when it is reaped
	exit   farend.Exit
}

// startLauncher runs a launcher. It reads nothing, and what it prints, to stdout or stderr, goes to
// stderr.
func startLauncher(argv, env []string, source string, stderr io.Writer) (*process.Process, *launcher, error) {
	l := &launcher{cmd: exec.Command(argv[0], argv[1:]...), source: source, ended: make(chan struct{})}
	p, err := process.Run(argv[0], stderr, func(files [3]*os.File) (process.Child, error) {
		l.cmd.Env, l.cmd.Stdout, l.cmd.Stderr = env, files[2], files[2]
		endWithParent(l.cmd)
		started := make(chan error)
		go l.run(started)
		return l, <-started
	})
	if err != nil {
		return nil, nil, err
	}
	_ = p.CloseWrite()
	_ = p.CloseRead()
	return p, l, nil
}

// run starts the process and waits for its end. It stays in one thread, because to Linux a child's
// parent is the thread that has started it (see endWithParent).
func (l *launcher) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := l.cmd.Start(); err != nil {
		started <- &cmdline.StartError{Args: l.cmd.Args, Source: l.source, Err: err}
		return
	}
	started <- nil
	// Its error repeats what ProcessState says.
	_ = l.cmd.Wait()
	l.exit = farend.ExitOf(l.cmd.ProcessState)
	close(l.ended)
}

// PID implements process.Child.
func (l *launcher) PID() int { return l.cmd.Process.Pid }

// Args implements process.Child.
func (l *launcher) Args() []string { return l.cmd.Args }

// Wait implements process.Child.
func (l *launcher) Wait() farend.Exit {
	<-l.ended
	return l.exit
}

// Kill implements process.Child.
func (l *launcher) Kill() error { return process.Kill(l.cmd.Process) }

// environ is the launcher's environment: base, or this process's own if that is nil, with what
// leads the workers to their driver. The ranks that this process may have been given by a launcher
// of its own mean nothing to its workers.
func environ(base []string, way string) []string {
	if base == nil {
		base = os.Environ()
	}
	base = slices.DeleteFunc(slices.Clone(base), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return name == variable || slices.Contains(rankVariables, name)
	})
	return append(base, variable+"="+way)
}
