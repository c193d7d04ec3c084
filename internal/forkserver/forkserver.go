//go:build unix

package forkserver

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
)

//go:embed forkserver.py
var source string

// closeTime is how long the server may take to end when its socket has been closed.
const closeTime = 2 * time.Second

// RefusedError says why this interpreter, or what it has imported, cannot be forked. Workers can be
// started in the ordinary way.
type RefusedError struct{ Problem string }

func (e *RefusedError) Error() string { return "execnet: no process can be forked: " + e.Problem }

// Server is a Python that forks. Its methods may be called side by side.
type Server struct {
	cmd    *exec.Cmd
	socket *net.UnixConn
	ready  chan struct{} // closed when it is known whether there will be forks
	known  func()        // closes ready
	ended  chan struct{} // closed when nothing of the server is left

	mu       sync.Mutex // guards what follows
	failure  error      // why there is no fork; nil while there may be
	missing  []string   // modules that were not found
	retired  bool       // ends with the last child
	children map[int]*Child
	asked    []chan forked // who waits for a child, in the order of the requests
}

// forked is the answer to a request.
type forked struct {
	child *Child
	err   error
}

// Config says what a server imports, and what its children do.
type Config struct {
	Program string   // what the children run, as an interpreter would behind "-c"
	Modules []string // what is imported
	Folder  string   // where, if there is one of this name
	// WorkerFolder and WorkerModule are a module that the children will import, if they are not
	// empty. It is no error if that fails.
	WorkerFolder, WorkerModule string
}

// Start starts the server. argv is the interpreter's command line up to "-c". The server's stderr
// goes to stderr. The error is a *cmdline.StartError, or says that there was no socket.
func Start(argv, env []string, c Config, stderr io.Writer) (*Server, error) {
	args := append(argv[1:len(argv):len(argv)], "-c", source, c.Program, c.WorkerFolder, c.WorkerModule, c.Folder)
	s := &Server{cmd: exec.Command(argv[0], append(args, c.Modules...)...), ready: make(chan struct{}), ended: make(chan struct{}),
		children: map[int]*Child{}}
	s.known = sync.OnceFunc(func() { close(s.ready) })
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("execnet: cannot make a socket to a fork server: %w", err)
	}
	defer theirs.Close()
	s.socket = ours
	s.cmd.Env, s.cmd.Stdin, s.cmd.Stderr = env, theirs, cmp.Or[io.Writer](stderr, io.Discard)
	s.cmd.WaitDelay = time.Second
	if err := s.cmd.Start(); err != nil {
		ours.Close()
		return nil, &cmdline.StartError{Args: argv, Err: err}
	}
	go s.run()
	return s, nil
}

// socketPair makes a socket. Processes that are started meanwhile do not inherit it.
func socketPair() (ours *net.UnixConn, theirs *os.File, err error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	theirs = os.NewFile(uintptr(fds[1]), "socket")
	file := os.NewFile(uintptr(fds[0]), "socket")
	defer file.Close()
	conn, err := net.FileConn(file)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn.(*net.UnixConn), theirs, nil
}

// longestLine bounds what the server tells at once: the text of an exception, mostly.
const longestLine = 1 << 20

// run reads what the server tells, until it has ended. One that tells something unknown is ended:
// nobody can know who waits for that in vain.
func (s *Server) run() {
	defer close(s.ended)
	lines := bufio.NewScanner(s.socket)
	lines.Buffer(nil, longestLine)
	// A line that is cut is its end.
	lines.Split(func(data []byte, _ bool) (int, []byte, error) { return bufio.ScanLines(data, false) })
	var err error
	for err == nil && lines.Scan() {
		err = s.told(lines.Text())
	}
	if err == nil && errors.Is(lines.Err(), bufio.ErrTooLong) {
		err = fmt.Errorf("execnet: the fork server has told a line of more than %d bytes", longestLine)
	}
	if err != nil {
		s.fail(err)
		_ = s.cmd.Process.Kill()
	}
	s.socket.Close()
	kill := time.AfterFunc(closeTime, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait() // its error repeats what ProcessState says
	kill.Stop()
	s.fail(fmt.Errorf("execnet: the fork server has ended%s", farend.ExitOf(s.cmd.ProcessState)))
	s.mu.Lock()
	left := s.children
	s.children = nil
	s.mu.Unlock()
	for _, c := range left {
		c.abandoned()
	}
}

// told takes a line that the server tells. Its error is for one that cannot be understood.
func (s *Server) told(line string) error {
	what, rest, _ := strings.Cut(line, " ")
	unknown := fmt.Errorf("execnet: the fork server has told something unknown: %.100q", line)
	var pid, status int
	switch what {
	case "ready":
		s.mu.Lock()
		s.missing = strings.FieldsFunc(rest, func(c rune) bool { return c == ',' })
		s.mu.Unlock()
		s.known()
	case "refused":
		s.fail(&RefusedError{rest})
	case "failed":
		s.fail(errors.New("execnet: cannot preload " + rest))
	case "cannot":
		s.answer(forked{err: errors.New("execnet: cannot fork a worker: " + rest)})
	case "forked":
		if _, err := fmt.Sscan(rest, &pid); err != nil || pid <= 0 {
			return unknown
		}
		c := &Child{server: s, pid: pid, gone: make(chan struct{})}
		s.mu.Lock()
		s.children[pid] = c
		s.mu.Unlock()
		s.answer(forked{child: c})
	case "exit":
		if _, err := fmt.Sscan(rest, &pid, &status); err != nil {
			return unknown
		}
		s.mu.Lock()
		c := s.children[pid]
		delete(s.children, pid)
		s.endIfRetired()
		s.mu.Unlock()
		if c != nil {
			c.ended(farend.ExitOfStatus(syscall.WaitStatus(status)))
		}
	default:
		return unknown
	}
	return nil
}

// fail ends all waiting for children, those to come as well. The first error counts.
func (s *Server) fail(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure == nil {
		s.failure = why
		s.known()
	}
	for _, to := range s.asked {
		to <- forked{err: s.failure}
	}
	s.asked = nil
}

// answer answers the oldest request.
func (s *Server) answer(f forked) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) > 0 {
		s.asked[0] <- f
		s.asked = s.asked[1:]
		s.endIfRetired()
	}
}

// Ready waits until the modules are imported, and returns those that were not found. Its error is a
// *RefusedError if this server will not fork, another one if a module that was found cannot be
// imported or the server has died, or ctx's cause.
func (s *Server) Ready(ctx context.Context) (missing []string, err error) {
	select {
	case <-s.ready:
	case <-ctx.Done():
		return nil, timeout.During(ctx, "waiting for imports of a fork server")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missing, s.failure
}

// Fork makes a child with these files as its descriptors 0, 1 and 2. The caller closes them.
func (s *Server) Fork(ctx context.Context, files [3]*os.File) (*Child, error) {
	var fds []int
	for _, f := range files {
		fds = append(fds, int(f.Fd()))
	}
	answer := make(chan forked, 1)
	s.mu.Lock()
	if s.failure != nil || s.retired {
		defer s.mu.Unlock()
		return nil, cmp.Or(s.failure, errRetired)
	}
	_, _, err := s.socket.WriteMsgUnix([]byte("F\x00\x00\x00\x00"), syscall.UnixRights(fds...), nil)
	if err == nil {
		s.asked = append(s.asked, answer)
	}
	s.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("execnet: cannot ask the fork server for a process: %w", err)
	}
	select {
	case f := <-answer:
		return f.child, f.err
	case <-ctx.Done():
		// A child that is made even so finds its stdin at its end, and ends.
		return nil, timeout.During(ctx, "forking a worker")
	}
}

var errRetired = errors.New("execnet: this fork server forks no more")

// Retire lets the server fork no more, and end when its last child has ended.
func (s *Server) Retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retired = true
	s.endIfRetired()
}

// endIfRetired ends a server that has nothing left to do. The caller holds mu.
func (s *Server) endIfRetired() {
	if s.retired && len(s.children) == 0 && len(s.asked) == 0 {
		_ = s.socket.CloseWrite()
	}
}

// Close ends the server and waits for it. Children that are left are killed.
func (s *Server) Close() {
	_ = s.socket.CloseWrite()
	kill := time.AfterFunc(closeTime, func() { _ = s.cmd.Process.Kill() })
	defer kill.Stop()
	<-s.ended
}

// Ended reports whether nothing of the server is left.
func (s *Server) Ended() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Child is a process that the server has forked.
type Child struct {
	server *Server
	pid    int
	exit   farend.Exit // set before gone is closed
	gone   chan struct{}
}

// PID is the child's process id.
func (c *Child) PID() int { return c.pid }

// Args tells the server's command line.
func (c *Child) Args() []string { return c.server.cmd.Args }

// Wait waits until the child has ended, and returns how, as far as that is known.
func (c *Child) Wait() farend.Exit {
	<-c.gone
	return c.exit
}

func (c *Child) ended(exit farend.Exit) {
	c.exit = exit
	close(c.gone)
}

// Kill ends the child by SIGKILL. The server does that, as long as there is one: it knows that the
// child has not been reaped, so that the process id is still the child's.
func (c *Child) Kill() error {
	select {
	case <-c.gone:
		return nil
	default:
	}
	request := binary.BigEndian.AppendUint32([]byte("K"), uint32(c.pid))
	c.server.mu.Lock()
	_, err := c.server.socket.Write(request)
	c.server.mu.Unlock()
	if err == nil {
		return nil
	}
	return c.killDirectly()
}

func (c *Child) killDirectly() error {
	if err := syscall.Kill(c.pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return os.NewSyscallError("kill", err)
	}
	return nil
}

// abandoned ends a child whose server has ended: nobody would tell of its end.
func (c *Child) abandoned() {
	_ = c.killDirectly()
	c.ended(farend.Exit{})
}
