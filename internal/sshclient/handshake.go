package sshclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/timeout"
)

// trackedConn is the byte stream under an ssh connection. It remembers when it last received
// something, and what ended it.
type trackedConn struct {
	net.Conn
	start  time.Time
	heard  atomic.Int64 // when something last came, in nanoseconds after start
	reason atomic.Pointer[error]

	mu       sync.Mutex // guards greeting
	greeting []byte     // how what came begins, at most maxGreeting
}

// maxGreeting is how many bytes a trackedConn keeps of what the host says first.
const maxGreeting = 512

func newTrackedConn(conn net.Conn) *trackedConn { return &trackedConn{Conn: conn, start: time.Now()} }

// Read implements net.Conn.
func (c *trackedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(int64(time.Since(c.start)))
		c.keepGreeting(p[:n])
	}
	if err != nil {
		c.fail(err)
	}
	return n, err
}

// fail records why the stream has ended; the first reason counts.
func (c *trackedConn) fail(err error) { c.reason.CompareAndSwap(nil, &err) }

// err returns why the stream has ended, nil if it has not.
func (c *trackedConn) err() error {
	if err := c.reason.Load(); err != nil {
		return *err
	}
	return nil
}

// keepGreeting adds to the greeting.
func (c *trackedConn) keepGreeting(p []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.greeting = append(c.greeting, p[:min(len(p), maxGreeting-len(c.greeting))]...)
}

// said is what the host said first; isSSH is false if no line of it is one with which an ssh server
// introduces itself.
func (c *trackedConn) said() (text string, isSSH bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text = string(c.greeting)
	return text, strings.HasPrefix(text, "SSH-") || strings.Contains(text, "\nSSH-")
}

// silence is how long nothing has come.
func (c *trackedConn) silence() time.Duration {
	return time.Since(c.start) - time.Duration(c.heard.Load())
}

// errTimedOut is the cause when a host does not complete a step in time. It is also timeout.Err.
var errTimedOut error = timedOut{}

type timedOut struct{}

func (timedOut) Error() string { return "timed out" }
func (timedOut) Unwrap() error { return timeout.Err }

// handshake logs in over an open byte stream: versions, keys, host key and user.
func (p *Pool) handshake(ctx context.Context, t *sshconfig.Target, stream *trackedConn, step func(doing string)) (*ssh.Client, error) {
	// Closing the stream is what ends a handshake that hangs.
	timer := newStepTimer(t.ConnectTimeout, func() {
		stream.fail(fmt.Errorf("%w after %v", errTimedOut, t.ConnectTimeout))
		stream.Close()
	})
	defer timer.stop()
	prompt := &prompter{&p.secrets, ctx, timer}
	hostKey, err := newHostKeyCheck(ctx, t, &p.options, p.stderr, prompt)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		stream.fail(context.Cause(ctx))
		stream.Close()
	})
	defer stop()
	var auth *authenticator
	config := &ssh.ClientConfig{
		User:              t.User,
		HostKeyAlgorithms: hostKey.algorithms(),
		Config:            ssh.Config{Ciphers: t.Ciphers, MACs: t.MACs, KeyExchanges: t.KeyExchanges},
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			err := hostKey.check(host, remote, key)
			timer.restart()
			return err
		},
		AuthCallback: func(answer *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
			timer.restart()
			if auth == nil {
				step("logging in at " + t.Address() + " as " + t.User)
				auth = newAuthenticator(t, &p.options, prompt, hostKey)
			}
			return auth.next(answer)
		},
	}
	defer func() {
		if auth != nil {
			auth.Close()
		}
	}()
	conn, channels, requests, err := ssh.NewClientConn(stream, hostKey.address, config)
	if err == nil {
		return ssh.NewClient(conn, channels, requests), nil
	}
	return nil, explain(ctx, t, err, stream, auth)
}

// explain turns the failure of a handshake into the error that says what to do. auth is nil if the
// handshake did not come that far.
func explain(ctx context.Context, t *sshconfig.Target, err error, stream *trackedConn, auth *authenticator) error {
	var hostKey *HostKeyError
	var refused *AuthError
	var algorithms *ssh.AlgorithmNegotiationError
	switch cause := stream.err(); {
	case ctx.Err() != nil:
		return timeout.During(ctx, "ssh: the handshake with "+t.Address())
	case errors.As(err, &hostKey):
		return hostKey
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &algorithms):
		keyword := map[string]string{"key exchange": "KexAlgorithms", "host key": "HostKeyAlgorithms"}[algorithms.What]
		if keyword == "" {
			keyword = "Ciphers or MACs"
		}
		return fmt.Errorf("%s and this client share no %s; it offers %s. Allow one of them with -o %s=+NAME, or add sshclient=openssh to the spec: %w",
			t.Address(), algorithms.What, strings.Join(algorithms.RequestedAlgorithms, ","), keyword, err)
	case auth != nil:
		if errors.Is(cause, errTimedOut) {
			err = cause
		}
		return auth.failure(err)
	case errors.Is(cause, errTimedOut):
		return &farend.HostNotFoundError{Host: t.Address(), Err: fmt.Errorf("it accepts the connection, but the ssh handshake %w", cause)}
	default:
		return &farend.HostNotFoundError{Host: t.Address(), Err: brokenOff(t, err, stream)}
	}
}

// brokenOff is why a handshake failed before the host's key was checked.
func brokenOff(t *sshconfig.Target, err error, stream *trackedConn) error {
	said, isSSH := stream.said()
	said = strings.TrimSpace(said)
	dropped := strings.Contains(said, "MaxStartups") || strings.Contains(said, "Not allowed at this time")
	switch {
	case isSSH:
		return err
	case dropped:
		err = errors.New(said)
	case said != "":
		return fmt.Errorf("what answers there is no ssh server; it says %q: %w", said, err)
	case t.ProxyCommand != "":
		return fmt.Errorf("the ProxyCommand ended before an ssh server answered: %s: %w", t.ProxyCommand, err)
	}
	return fmt.Errorf("it closes the connection before its ssh server says anything. A server does that if too many connections are logging in at once (MaxStartups in its sshd_config), if it is overloaded or starting, or if it blocks this address (PerSourcePenalties, fail2ban, a firewall). Try again later, or start fewer hosts at once: %w", err)
}

// stepTimer limits how long a host may take for each step of a handshake. It does not run while
// somebody is asked.
type stepTimer struct {
	limit time.Duration // 0 for none

	mu      sync.Mutex // guards what follows
	timer   *time.Timer
	paused  int
	stopped bool
}

// newStepTimer starts a timer that calls expired, once, when a step takes longer than limit.
func newStepTimer(limit time.Duration, expired func()) *stepTimer {
	s := &stepTimer{limit: limit}
	if limit > 0 {
		s.timer = time.AfterFunc(limit, expired)
	}
	return s
}

// restart gives the next step its whole time.
func (s *stepTimer) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil && s.paused == 0 && !s.stopped && s.timer.Stop() {
		s.timer.Reset(s.limit)
	}
}

func (s *stepTimer) pause() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused++
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *stepTimer) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused--
	if s.timer != nil && s.paused == 0 && !s.stopped {
		s.timer.Reset(s.limit)
	}
}

// stop ends the timer for good.
func (s *stepTimer) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	if s.timer != nil {
		s.timer.Stop()
	}
}
