package sshclient

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
	"github.com/go-execnet/execnet/internal/sshconfig"
)

// How long a session waits for the far end.
const (
	// outputGrace is how long no output may come, once the remote process has ended, before the
	// session is closed. What the process has written arrives earlier; later only a process that it
	// has left behind writes, for which a gateway does not wait.
	outputGrace = 50 * time.Millisecond
	// killTimeout is how long a killed session may take to confirm its end. sshd cannot deliver
	// signals for every user, and a stopped process does not see its stdin end: then the session is
	// abandoned.
	killTimeout = time.Second
)

// Session is a remote command whose stdin and stdout are a gateway's byte pipe, one session of a
// pool's connection. It implements gatewaybase.IO.
//
// Reads and writes go through goroutines, because neither can be interrupted in an ssh channel. The
// one that reads ends when Read has returned io.EOF, or with CloseRead; the others before Wait
// returns, or with the connection when the far end does not confirm its end.
type Session struct {
	conn    *connection
	channel ssh.Channel
	address string
	stderr  *farend.Outlet

	stdin     *io.PipeReader // what Write puts in, for pumpStdin
	stdinEnd  *io.PipeWriter
	stdout    *io.PipeReader
	stdoutEnd *io.PipeWriter
	reading   atomic.Int64 // since when (UnixNano) pumpStdout waits for the host, 0 if it does not
	tail      farend.Tail

	mu      sync.Mutex // guards exit and refusal
	exit    gatewaybase.Exit
	refusal error // set if the host refuses to run the command

	answered chan struct{} // closed when the host has answered the request to run the command
	accepted bool          // the host runs the command; set before answered is closed
	refused  chan struct{} // closed if it refuses

	kill   chan struct{} // closed by the first Kill
	killer sync.Once
	done   chan struct{} // closed once nothing is left but what Read has not fetched
}

var _ gatewaybase.IO = (*Session)(nil)

// startSession runs a command on the target. It does not wait for the host's answer: pumpStdin does
// that before it sends what is written meanwhile, and a refusal is what Read and Write return then.
func (p *Pool) startSession(ctx context.Context, t *sshconfig.Target, command, address string, stderr io.Writer, hold *Hold) (*Session, error) {
	conn, channel, requests, err := p.session(ctx, t)
	if err != nil {
		return nil, err
	}
	hold.keep(conn)
	s := &Session{
		conn: conn, channel: channel, address: address, stderr: farend.NewOutlet(cmp.Or(stderr, p.options.Stderr)),
		kill: make(chan struct{}), done: make(chan struct{}),
		answered: make(chan struct{}), refused: make(chan struct{}),
	}
	s.stdin, s.stdinEnd = io.Pipe()
	s.stdout, s.stdoutEnd = io.Pipe()
	if t.ForwardAgent != "" {
		_, _ = channel.SendRequest("auth-agent-req@openssh.com", false, nil)
	}
	for _, variable := range t.Env {
		// The host takes what AcceptEnv allows.
		_, _ = channel.SendRequest("env", false, ssh.Marshal(&variable))
	}
	conn.running.Go(func() { s.run(command) })

	p.mu.Lock()
	closed := p.closed
	p.sessions[s] = struct{}{}
	p.running.Add(2)
	p.mu.Unlock()
	pumps := new(sync.WaitGroup)
	for _, pump := range []func(){s.pumpStdin, s.pumpStderr} {
		pumps.Add(1)
		conn.running.Go(func() {
			defer pumps.Done()
			pump()
		})
	}
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
	if closed {
		_ = s.Kill()
		_ = s.CloseRead()
		<-s.done
		return nil, connectionLost(t, cmp.Or(conn.stream.err(), ErrClosed))
	}
	return s, nil
}

// run asks the host to run the command, and waits for the answer. A host that refuses may leave the
// session open, and nothing would ever come from it.
func (s *Session) run(command string) {
	defer close(s.answered)
	accepted, err := s.channel.SendRequest("exec", true, ssh.Marshal(&struct{ Command string }{command}))
	s.accepted = accepted
	if err != nil || accepted {
		return // an error is the end of the session or of the connection, which others notice
	}
	t := s.conn.target
	s.mu.Lock()
	s.refusal = farend.SSHError("", fmt.Errorf("%s lets %s in but refuses to run a command; a gateway needs one: look for ForceCommand, a restricted shell or an account for file transfers only", t.Address(), t.User))
	s.mu.Unlock()
	close(s.refused)
}

// supervise waits for the session's end, or brings it about, and frees what belongs to it.
func (s *Session) supervise(requests <-chan *ssh.Request, pumps *sync.WaitGroup) {
	exited, closed := make(chan struct{}), make(chan struct{})
	s.conn.running.Go(func() {
		defer close(closed)
		s.followRequests(requests, exited)
	})
	select {
	case <-closed:
		<-s.answered
	case <-exited:
		if !s.outputEnds(closed) {
			_ = s.channel.Close()
			s.stdoutEnd.Close()
		}
		s.confirmEnd(closed)
	case <-s.refused:
		s.conn.running.Go(func() { _ = s.channel.Close() })
		s.confirmEnd(closed)
	case <-s.kill:
		s.conn.running.Go(func() { // writing may have to wait for the host, and Kill must not
			_, _ = s.channel.SendRequest("signal", false, ssh.Marshal(&struct{ Signal string }{"KILL"}))
			_ = s.channel.Close()
		})
		s.confirmEnd(closed)
	}
	// A Write fails from now on; Read returns what has arrived, then the end.
	s.stdin.CloseWithError(s.lost(io.ErrClosedPipe))
	select {
	case <-closed:
		pumps.Wait()
	default: // the host did not confirm: the goroutines end with the connection
		s.stdoutEnd.CloseWithError(s.lost(io.EOF))
		s.conn.retireNow()
	}
	s.stderr.FlushSoon()
	s.conn.sessionClosed()
	s.conn.pool.release(s.conn, false)
	close(s.done)
}

// confirmEnd waits for the host to close the session, at most killTimeout.
func (s *Session) confirmEnd(closed <-chan struct{}) {
	timer := time.NewTimer(killTimeout)
	defer timer.Stop()
	select {
	case <-closed:
	case <-timer.C:
	}
}

// outputEnds waits, once the remote process has ended, until its output has. It is false when a
// process left behind keeps the output open.
func (s *Session) outputEnds(closed <-chan struct{}) bool {
	ticker := time.NewTicker(outputGrace / 5)
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
			if since != 0 && time.Since(time.Unix(0, max(since, exit.UnixNano()))) >= outputGrace {
				return false
			}
		}
	}
}

// followRequests records how the process ends, and returns when the session is closed.
func (s *Session) followRequests(requests <-chan *ssh.Request, exited chan<- struct{}) {
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
				exit = gatewaybase.Exit{Known: true, Code: -1, Signal: signalNamed(signal.Name)}
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

// bufferSize is two of the largest packets sshd takes.
const bufferSize = 64 << 10

// pumpStdin sends what Write gets, once the host has started the command. To wait for that costs no
// round trip with OpenSSH's sshd, which takes no input before it has started the command. Other
// servers may throw away what comes earlier.
func (s *Session) pumpStdin() {
	<-s.answered
	if !s.accepted {
		s.stdin.CloseWithError(s.lost(io.ErrClosedPipe))
		return
	}
	buf := make([]byte, bufferSize)
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

func (s *Session) pumpStdout() {
	buf := make([]byte, bufferSize)
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
			<-s.answered // a host that refuses the command may close the session at the same time
			s.stdoutEnd.CloseWithError(s.lost(err))
			return
		}
	}
}

func (s *Session) pumpStderr() {
	buf := make([]byte, 8<<10)
	stderr := s.channel.Stderr()
	for {
		n, err := stderr.Read(buf)
		_, _ = s.tail.Write(buf[:n])
		// It must not wait: stdout shares the session's window with what is not read here.
		s.stderr.Offer(buf[:n])
		if err != nil {
			return
		}
	}
}

// lost returns why the host did not run the command, or why the connection has ended, or usual
// where neither is so.
func (s *Session) lost(usual error) error {
	s.mu.Lock()
	refusal := s.refusal
	s.mu.Unlock()
	if refusal != nil {
		return refusal
	}
	cause := s.conn.stream.err()
	if cause == nil || errors.Is(cause, errReleased) || s.known() {
		return usual
	}
	if errors.Is(cause, io.EOF) {
		cause = errors.New("the host closed it")
	}
	return connectionLost(s.conn.target, cause)
}

func connectionLost(t *sshconfig.Target, cause error) error {
	return farend.SSHError("the connection to "+t.Address()+" was lost", cause)
}

// known reports whether the process has told how it ended; then the connection's end has taken
// nothing away.
func (s *Session) known() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.exit.Known
}

// Read implements gatewaybase.IO. When the connection was lost its error says why, instead of
// io.EOF.
func (s *Session) Read(b []byte) (int, error) { return s.stdout.Read(b) }

// Write implements gatewaybase.IO. The host may not have the bytes yet when it returns.
func (s *Session) Write(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil // the pipe would wait for a reader even so
	}
	return s.stdinEnd.Write(b)
}

// CloseRead implements gatewaybase.IO.
func (s *Session) CloseRead() error { return s.stdout.Close() }

// CloseWrite implements gatewaybase.IO: the process finds the end of its stdin behind everything
// written before.
func (s *Session) CloseWrite() error { return s.stdinEnd.Close() }

// Wait implements gatewaybase.IO.
func (s *Session) Wait(ctx context.Context) error {
	return farend.Await(ctx, s.done)
}

// Kill implements gatewaybase.IO: it asks the host to kill the process, and closes the session,
// which ends the process's stdin and stdout. If the host confirms neither within a second, the
// session counts as ended.
func (s *Session) Kill() error {
	s.killer.Do(func() { close(s.kill) })
	return nil
}

// Exit implements gatewaybase.IO. How a process ended whose connection was lost is not known.
func (s *Session) Exit() gatewaybase.Exit {
	s.mu.Lock()
	exit := s.exit
	s.mu.Unlock()
	exit.Stderr = s.tail.String()
	return exit
}

// RemoteAddress implements gatewaybase.IO.
func (s *Session) RemoteAddress() string { return s.address }

// signals are the signals that the protocol names (RFC 4254, section 6.10) and every system has.
var signals = map[string]syscall.Signal{
	"ABRT": syscall.SIGABRT, "ALRM": syscall.SIGALRM, "FPE": syscall.SIGFPE, "HUP": syscall.SIGHUP,
	"ILL": syscall.SIGILL, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL, "PIPE": syscall.SIGPIPE,
	"QUIT": syscall.SIGQUIT, "SEGV": syscall.SIGSEGV, "TERM": syscall.SIGTERM,
}

// remoteSignal is a signal that only the far end has a number for.
type remoteSignal string

func (s remoteSignal) Signal()        {}
func (s remoteSignal) String() string { return "SIG" + string(s) }

func signalNamed(name string) os.Signal {
	if signal, ok := signals[name]; ok {
		return signal
	}
	return remoteSignal(name)
}
