package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/errtext"
)

// The limits of an ssh server, under the names of sshd's options.
const (
	loginGraceTime = 30 * time.Second // for logging in
	maxStartups    = 100              // connections that are logging in
	maxSessions    = 64               // on one connection
)

// keepAliveInterval is how often a client is asked for a sign of life, and how long it may take to
// answer. Tests change it.
var keepAliveInterval = 30 * time.Second

// SSH is an ssh server that only starts workers: a session whose command line is that of execnet's
// drivers, PYTHON -c "BOOT LINE" ([protocol.md section 7.2]), gets one. The worker is Command,
// whatever PYTHON is; nothing that a client sends is executed by a shell. There are no shells,
// terminals, subsystems, forwarding, or environment variables of the client's; another command line
// exits with status 127. Clients log in by public key only, under any user name: every worker runs
// as the server's own user.
//
// [protocol.md section 7.2]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#72-command-lines
type SSH struct {
	// Command is the worker. Its Stderr is not used: the session gets what the worker writes to
	// stderr.
	Command Command
	// HostKey is the server's private key; see the function [HostKey].
	HostKey ssh.Signer
	// AuthorizedKeys is a file of the public keys that may log in, in sshd's format. It is read at
	// each login, and must belong to this user or root and be writable for nobody else. A key with
	// another option than restrict, no-pty, no-port-forwarding, no-agent-forwarding,
	// no-X11-forwarding and no-user-rc is refused.
	AuthorizedKeys string
	// MaxConns is how many connections there can be at once; 0 means 1000. Of these, 100
	// can be logging in, for at most 30 seconds each. A connection has at most 64 sessions.
	MaxConns int
	// Log gets a line for each login and its end, for the start and the end of each worker, and for
	// everything that is refused; nil discards them.
	Log io.Writer
}

// Serve accepts the listener's connections, and closes the listener at the end. When a session or
// its connection is closed, its worker reads the end of its stdin, and is killed if it has not
// ended three seconds later. When ctx ends, that happens to all workers, and Serve returns ctx's
// cause. When the listener is closed by another goroutine, Serve returns nil as soon as all
// connections have ended. A connection or a worker that fails only makes a line in the log. So does
// an error of accepting, after which Serve tries again.
func (s SSH) Serve(ctx context.Context, listener net.Listener) error {
	log := newEventLog(s.Log)
	defer log.outlet.FlushSoon()
	startups := make(chan struct{}, maxStartups)
	return accept(ctx, listener, cmp.Or(s.MaxConns, defaultMaxConns), log, func(conn net.Conn) {
		defer conn.Close()
		select {
		case startups <- struct{}{}:
		default:
			log.printf("%v: refused, as %d connections are logging in already", conn.RemoteAddr(), maxStartups)
			return
		}
		c := &sshConn{conn: conn, command: s.Command, log: log, slots: make(chan struct{}, maxSessions)}
		err := c.login(ctx, s.HostKey, s.AuthorizedKeys)
		<-startups
		if err != nil {
			if ctx.Err() == nil {
				log.printf("%v: refused: %s", conn.RemoteAddr(), errtext.Of(err))
			}
			return
		}
		log.printf("%v: user %q logged in with the key %s", conn.RemoteAddr(), c.User(), c.Permissions.Extensions[fingerprint])
		c.serve(ctx)
		log.printf("%v: disconnected", conn.RemoteAddr())
	})
}

// fingerprint is the name of the extension of ssh.Permissions that holds the key's fingerprint.
const fingerprint = "fingerprint"

// sshConn is one client's connection.
type sshConn struct {
	*ssh.ServerConn
	conn     net.Conn
	command  Command
	log      *eventLog
	channels <-chan ssh.NewChannel
	requests <-chan *ssh.Request
	running  sync.WaitGroup
	slots    chan struct{} // holds one for each session
}

// login does the handshake and the authentication.
func (c *sshConn) login(ctx context.Context, hostKey ssh.Signer, authorizedKeys string) (err error) {
	refusal := errors.New("it showed no key")
	config := &ssh.ServerConfig{
		ServerVersion:           "SSH-2.0-execnet",
		PublicKeyAuthAlgorithms: ssh.SupportedAlgorithms().PublicKeyAuths,
		PublicKeyCallback: func(meta ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if err := authorize(authorizedKeys, key); err != nil {
				refusal = fmt.Errorf("user %q, key %s: %w", meta.User(), ssh.FingerprintSHA256(key), err)
				return nil, err
			}
			return &ssh.Permissions{Extensions: map[string]string{fingerprint: ssh.FingerprintSHA256(key)}}, nil
		},
	}
	config.AddHostKey(hostKey)
	if err := c.conn.SetDeadline(time.Now().Add(loginGraceTime)); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.conn.Close() })
	defer stop()
	c.ServerConn, c.channels, c.requests, err = ssh.NewServerConn(c.conn, config)
	var unauthenticated *ssh.ServerAuthError
	if errors.As(err, &unauthenticated) {
		return refusal
	}
	if err != nil {
		return fmt.Errorf("no login: %w", err)
	}
	return c.conn.SetDeadline(time.Time{})
}

// serve handles a connection that is logged in, until it and all its sessions have ended.
func (c *sshConn) serve(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	c.running.Go(func() { ssh.DiscardRequests(c.requests) }) // requests for forwarding are refused
	c.running.Go(func() { c.keepAlive(ctx) })
	c.running.Go(func() { c.closeAfter(ctx) })
	for open := range c.channels {
		c.open(ctx, open)
	}
	end()
	c.running.Wait()
}

// open starts a session for a channel that the client opens, or refuses the channel.
func (c *sshConn) open(ctx context.Context, open ssh.NewChannel) {
	if open.ChannelType() != "session" {
		_ = open.Reject(ssh.Prohibited, "this server runs execnet workers and does nothing else")
		return
	}
	select {
	case <-ctx.Done():
		_ = open.Reject(ssh.ResourceShortage, "the server ends")
		return
	case c.slots <- struct{}{}:
	default:
		_ = open.Reject(ssh.ResourceShortage, fmt.Sprintf("there are %d sessions on this connection already", maxSessions))
		return
	}
	channel, requests, err := open.Accept()
	if err != nil { // the connection is closed
		<-c.slots
		return
	}
	c.running.Go(func() {
		defer func() { <-c.slots }()
		c.session(ctx, channel, requests)
	})
}

// closeAfter closes the connection after ctx has ended: as soon as no session is left, so that the
// sessions can send how their workers ended, but after twice gracePeriod at the latest.
func (c *sshConn) closeAfter(ctx context.Context) {
	<-ctx.Done()
	defer c.conn.Close()
	timer := time.NewTimer(2 * gracePeriod)
	defer timer.Stop()
	for range cap(c.slots) {
		select {
		case c.slots <- struct{}{}:
		case <-timer.C:
			return
		}
	}
}

// keepAlive closes the connection when the client no longer answers.
func (c *sshConn) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(keepAliveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		noAnswer := time.AfterFunc(keepAliveInterval, func() { c.conn.Close() })
		_, _, err := c.SendRequest("keepalive@openssh.com", true, nil) // any answer will do
		noAnswer.Stop()
		if err != nil {
			return
		}
	}
}
