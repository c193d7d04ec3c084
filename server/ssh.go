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
)

// What an ssh server allows; OpenSSH's sshd has options of these names.
const (
	loginGraceTime = 30 * time.Second // from connecting to being logged in
	maxStartups    = 100              // connections that are not logged in yet
	maxSessions    = 64               // on one connection
)

// keepAliveInterval is how often a client is asked whether it is there; it has as long to answer. A
// variable for the tests.
var keepAliveInterval = 30 * time.Second

// SSH is an ssh server that does one thing: a session whose command line is that of execnet's
// drivers, PYTHON -c "BOOT LINE" (protocol.md section 7.2), becomes a worker. Whatever PYTHON is,
// the worker is Command; nothing that a client sends is executed by a shell. There are no shells,
// terminals, subsystems or forwarding and no environment variables of the client's; other command
// lines exit with status 127. Users log in by public key only, under any user name: every worker
// runs as the server's own user.
type SSH struct {
	// Command is the worker. Its Stderr is not used: what a worker writes to stderr goes to the
	// session's.
	Command Command
	// HostKey is the server's own key; see the function HostKey.
	HostKey ssh.Signer
	// AuthorizedKeys is a file of the public keys that may log in, in sshd's format. It is read at
	// each login, and has to belong to this user or root and be writable to nobody else. A key with
	// options is refused unless they are among restrict, no-pty, no-port-forwarding,
	// no-agent-forwarding, no-X11-forwarding and no-user-rc.
	AuthorizedKeys string
	// MaxConns is how many connections there can be at once; 0 means DefaultMaxConns. Of these, 100
	// can be still logging in, for which each has 30 seconds. A connection has at most 64 sessions.
	MaxConns int
	// Log gets a line for each login and its end, for the start and the end of each worker, and for
	// what was refused; nil discards them.
	Log io.Writer
}

// Serve accepts the listener's connections, and closes it. When a session or its connection is
// closed, its worker finds the end of its stdin and is killed if it is not gone within three
// seconds. When ctx ends, that happens to all workers, and Serve returns ctx's error. When somebody
// else closes the listener, it returns nil once all connections have ended. A connection that
// fails, or a worker, is a matter of the log. So is an error of accepting, which is tried again.
func (s SSH) Serve(ctx context.Context, listener net.Listener) error {
	log := &eventLog{w: s.Log}
	startups := make(chan struct{}, maxStartups)
	return accept(ctx, listener, cmp.Or(s.MaxConns, DefaultMaxConns), log, func(conn net.Conn) {
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
				log.printf("%v: refused: %v", conn.RemoteAddr(), err)
			}
			return
		}
		log.printf("%v: user %q logged in with the key %s", conn.RemoteAddr(), c.User(), c.Permissions.Extensions[fingerprint])
		c.serve(ctx)
		log.printf("%v: disconnected", conn.RemoteAddr())
	})
}

// fingerprint is the extension of permissions that names the key.
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

// login does everything up to knowing who is there.
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

// serve sees a connection that is logged in to its end, and all that belongs to it.
func (c *sshConn) serve(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	c.running.Go(func() { ssh.DiscardRequests(c.requests) }) // forwarding is asked for here
	c.running.Go(func() { c.keepAlive(ctx) })
	c.running.Go(func() { c.closeAfter(ctx) })
	for open := range c.channels {
		c.open(ctx, open)
	}
	end()
	c.running.Wait()
}

// open makes a session of what a client opens, or refuses it.
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
	if err != nil { // the connection is lost
		<-c.slots
		return
	}
	c.running.Go(func() {
		defer func() { <-c.slots }()
		c.session(ctx, channel, requests)
	})
}

// closeAfter closes the connection once ctx has ended: as soon as no session is left, which gives
// them time to tell how their workers ended, or after a while.
func (c *sshConn) closeAfter(ctx context.Context) {
	<-ctx.Done()
	defer c.conn.Close()
	timer := time.NewTimer(2 * grace)
	defer timer.Stop()
	for range cap(c.slots) {
		select {
		case c.slots <- struct{}{}:
		case <-timer.C:
			return
		}
	}
}

// keepAlive closes the connection when the client has stopped answering.
func (c *sshConn) keepAlive(ctx context.Context) {
	ticker := time.NewTicker(keepAliveInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		patience := time.AfterFunc(keepAliveInterval, func() { c.conn.Close() })
		_, _, err := c.SendRequest("keepalive@openssh.com", true, nil) // any answer will do
		patience.Stop()
		if err != nil {
			return
		}
	}
}
