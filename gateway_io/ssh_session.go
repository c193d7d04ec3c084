package gatewayio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/farend"
)

// How long a session waits for the far end.
const (
	// sshLingering is how long output may stay away once the remote process has ended. What it has
	// written arrives before that; later there is only what a process it left behind writes, for
	// which a gateway does not wait.
	sshLingering = 50 * time.Millisecond
	// sshKillPatience is how long a killed session may take to confirm its end. sshd cannot deliver
	// signals for every user, and a stopped process does not see its stdin end: then the session is
	// given up.
	sshKillPatience = time.Second
)

// sshSession is a remote command whose stdin and stdout are a gateway's byte pipe, one session of a
// pool's connection. It implements gatewaybase.IO.
//
// Reads and writes go through goroutines, because neither can be interrupted in an ssh channel. The
// one that reads ends when Read has returned io.EOF, or with CloseRead; the others before Wait
// returns, or with the connection when the far end does not confirm its end.
type sshSession struct {
	conn    *sshConn
	channel ssh.Channel
	address string
	stderr  io.Writer

	stdin     *io.PipeReader // what Write puts in, on its way to the host
	stdinEnd  *io.PipeWriter
	stdout    *io.PipeReader
	stdoutEnd *io.PipeWriter
	reading   atomic.Int64 // since when (UnixNano) the stdout goroutine waits for the host, 0 while it does not
	tail      tail

	mu   sync.Mutex // guards exit
	exit gatewaybase.Exit

	kill   chan struct{} // closed by the first Kill
	killer sync.Once
	done   chan struct{} // closed once nothing is left but what Read has not fetched
}

var _ gatewaybase.IO = (*sshSession)(nil)

// startSession runs a command on the target. It does not wait for the host's answer: what is
// written at once travels behind the command, in the same round trip. The price is that a host
// which refuses to run commands is not heard; nothing ever comes from it, as from one whose Python
// hangs.
func (p *SSHPool) startSession(ctx context.Context, t *sshTarget, command, address string) (*sshSession, error) {
	conn, channel, requests, err := p.session(ctx, t)
	if err != nil {
		return nil, err
	}
	s := &sshSession{
		conn: conn, channel: channel, address: address, stderr: p.options.Stderr,
		kill: make(chan struct{}), done: make(chan struct{}),
	}
	s.stdin, s.stdinEnd = io.Pipe()
	s.stdout, s.stdoutEnd = io.Pipe()
	if t.forwardAgent != "" {
		_, _ = channel.SendRequest("auth-agent-req@openssh.com", false, nil)
	}
	for _, variable := range t.env {
		_, _ = channel.SendRequest("env", false, ssh.Marshal(&variable)) // sshd takes what AcceptEnv allows
	}
	_, err = channel.SendRequest("exec", false, ssh.Marshal(&struct{ Command string }{command}))

	p.mu.Lock()
	closed := p.closed
	p.sessions[s] = struct{}{}
	p.running.Add(2)
	p.mu.Unlock()
	pumps := new(sync.WaitGroup)
	pumps.Add(2)
	conn.running.Add(2)
	go func() {
		defer conn.running.Done()
		defer pumps.Done()
		s.pumpStdin()
	}()
	go func() {
		defer conn.running.Done()
		defer pumps.Done()
		s.pumpStderr()
	}()
	fetched := make(chan struct{})
	go func() {
		defer p.running.Done()
		defer close(fetched)
		s.pumpStdout()
	}()
	go func() {
		defer p.running.Done()
		s.supervise(requests, pumps)
		<-fetched // until then the pool's Close has something to end
		p.mu.Lock()
		delete(p.sessions, s)
		p.mu.Unlock()
	}()
	if err != nil || closed {
		_ = s.Kill()
		_ = s.CloseRead()
		<-s.done
		return nil, fmt.Errorf("ssh: the connection to %s was lost: %w", t.address(), cmp.Or(conn.wire.err(), cmp.Or(err, ErrSSHPoolClosed)))
	}
	return s, nil
}

// supervise sees the session to its end.
func (s *sshSession) supervise(requests <-chan *ssh.Request, pumps *sync.WaitGroup) {
	exited, closed := make(chan struct{}), make(chan struct{})
	s.conn.running.Add(1)
	go func() {
		defer s.conn.running.Done()
		defer close(closed)
		s.followRequests(requests, exited)
	}()
	select {
	case <-closed:
	case <-exited:
		if !s.outputEnds(closed) {
			_ = s.channel.Close()
			s.stdoutEnd.Close()
		}
		s.confirmEnd(closed)
	case <-s.kill:
		s.conn.running.Add(1)
		go func() { // writing may have to wait for the host, and Kill must not
			defer s.conn.running.Done()
			_, _ = s.channel.SendRequest("signal", false, ssh.Marshal(&struct{ Signal string }{"KILL"}))
			_ = s.channel.Close()
		}()
		s.confirmEnd(closed)
	}
	// Whoever still writes is told; whoever reads gets what has arrived, then the end.
	s.stdin.CloseWithError(s.lost(io.ErrClosedPipe))
	select {
	case <-closed:
		pumps.Wait()
	default: // given up; the goroutines end with the connection
		s.stdoutEnd.CloseWithError(s.lost(io.EOF))
		s.conn.retireNow()
	}
	s.conn.sessionClosed()
	s.conn.pool.release(s.conn, false)
	close(s.done)
}

// retireNow takes a connection out of use on which something hangs; it ends with its last session.
func (c *sshConn) retireNow() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.pool.retire(c)
}

// confirmEnd waits for the host to close the session, for a while.
func (s *sshSession) confirmEnd(closed <-chan struct{}) {
	timer := time.NewTimer(sshKillPatience)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}

// outputEnds waits, once the remote process has ended, until its output has. It is false when a
// process left behind keeps the output open.
func (s *sshSession) outputEnds(closed <-chan struct{}) bool {
	ticker := time.NewTicker(sshLingering / 5)
	defer ticker.Stop()
	exit := time.Now()
	for {
		select {
		case <-closed:
			return true
		case <-s.kill:
			return false
		case <-ticker.C:
			since := s.reading.Load()
			if since != 0 && time.Since(time.Unix(0, max(since, exit.UnixNano()))) >= sshLingering {
				return false
			}
		}
	}
}

// followRequests notes how the process ends, and returns when the session is closed.
func (s *sshSession) followRequests(requests <-chan *ssh.Request, exited chan<- struct{}) {
	for request := range requests {
		var exit gatewaybase.Exit
		switch request.Type {
		case "exit-status":
			var status struct{ Code uint32 }
			if ssh.Unmarshal(request.Payload, &status) == nil {
				exit = gatewaybase.Exit{Known: true, Code: int(status.Code)}
			}
		case "exit-signal":
			var signal struct {
				Name           string
				CoreDumped     bool
				Message, Langu string
			}
			if ssh.Unmarshal(request.Payload, &signal) == nil {
				exit = gatewaybase.Exit{Known: true, Code: -1, Signal: sshSignal(signal.Name)}
			}
		}
		if request.WantReply {
			_ = request.Reply(false, nil)
		}
		s.mu.Lock()
		first := exit.Known && !s.exit.Known
		if first {
			s.exit = exit
		}
		s.mu.Unlock()
		if first {
			close(exited)
		}
	}
}

// sshBuffer is two of the largest packets sshd takes.
const sshBuffer = 64 << 10

func (s *sshSession) pumpStdin() {
	buf := make([]byte, sshBuffer)
	for {
		n, err := s.stdin.Read(buf)
		if n > 0 {
			if _, err := s.channel.Write(buf[:n]); err != nil {
				s.stdin.CloseWithError(s.lost(err))
				return
			}
		}
		if err != nil {
			_ = s.channel.CloseWrite()
			return
		}
	}
}

func (s *sshSession) pumpStdout() {
	buf := make([]byte, sshBuffer)
	discard := false
	for {
		s.reading.Store(time.Now().UnixNano())
		n, err := s.channel.Read(buf)
		s.reading.Store(0)
		if n > 0 && !discard {
			// After CloseRead the host is still read, or its process would stop at a full window
			// and never see its end.
			_, failed := s.stdoutEnd.Write(buf[:n])
			discard = failed != nil
		}
		if err != nil {
			s.stdoutEnd.CloseWithError(s.lost(err))
			return
		}
	}
}

func (s *sshSession) pumpStderr() {
	buf := make([]byte, 8<<10)
	stderr := s.channel.Stderr()
	forward := true
	for {
		n, err := stderr.Read(buf)
		if n > 0 {
			s.tail.write(buf[:n])
			if forward {
				_, failed := s.stderr.Write(buf[:n])
				forward = failed == nil
			}
		}
		if err != nil {
			return
		}
	}
}

// lost returns why the connection has ended, or usual where it has not.
func (s *sshSession) lost(usual error) error {
	cause := s.conn.wire.err()
	if cause == nil || errors.Is(cause, errSSHReleased) || s.known() {
		return usual
	}
	if errors.Is(cause, io.EOF) {
		cause = errors.New("the host closed it")
	}
	return fmt.Errorf("ssh: the connection to %s was lost: %w", s.conn.target.address(), cause)
}

// known reports whether the process has told how it ended; then the connection's end has taken
// nothing away.
func (s *sshSession) known() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exit.Known
}

// Read implements gatewaybase.IO. When the connection was lost its error says why, instead of
// io.EOF.
func (s *sshSession) Read(b []byte) (int, error) { return s.stdout.Read(b) }

// Write implements gatewaybase.IO. The host may not have the bytes yet when it returns.
func (s *sshSession) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil // the pipe would wait for a reader even so
	}
	return s.stdinEnd.Write(b)
}

// CloseRead implements gatewaybase.IO.
func (s *sshSession) CloseRead() error { return s.stdout.Close() }

// CloseWrite implements gatewaybase.IO: the process finds the end of its stdin behind everything
// written before.
func (s *sshSession) CloseWrite() error { return s.stdinEnd.Close() }

// Wait implements gatewaybase.IO.
func (s *sshSession) Wait(ctx context.Context) error {
	return farend.Await(ctx, s.done)
}

// Kill implements gatewaybase.IO: it asks the host to kill the process, and closes the session,
// which ends the process's stdin and stdout. A host that confirms neither is left to itself after a
// second.
func (s *sshSession) Kill() error {
	s.killer.Do(func() { close(s.kill) })
	return nil
}

// Exit implements gatewaybase.IO. How a process ended whose connection was lost is not known.
func (s *sshSession) Exit() gatewaybase.Exit {
	s.mu.Lock()
	exit := s.exit
	s.mu.Unlock()
	exit.Stderr = s.tail.String()
	return exit
}

// RemoteAddress implements gatewaybase.IO.
func (s *sshSession) RemoteAddress() string { return s.address }

// sshSignals are the signals that the protocol names (RFC 4254, section 6.10) and every system has.
var sshSignals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
	"QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM,
}

// remoteSignal is a signal that only the far end has a number for.
type remoteSignal string

func (s remoteSignal) Signal()        {}
func (s remoteSignal) String() string { return "SIG" + string(s) }

func sshSignal(name string) os.Signal {
	if signal, ok := sshSignals[name]; ok {
		return signal
	}
	return remoteSignal(name)
}
