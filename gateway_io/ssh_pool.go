package gatewayio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"
)

// SSHPool starts gateways over ssh, all those of one host over as few connections as the host
// allows. It is the native client: it needs no ssh binary. A pool belongs to whoever owns its
// gateways (a Group) and is safe for concurrent use.
//
// A connection is made when the first gateway needs it, shared by those for which the same settings
// apply (host, user, keys, jump hosts and the rest), and closed when the last of them has ended.
// sshd allows ten sessions per connection unless MaxSessions says otherwise; when more gateways are
// started, further connections are opened.
type SSHPool struct {
	options SSHOptions
	secrets sshSecrets

	mu       sync.Mutex // guards the fields below, and those of sshConn that say so
	conns    map[string][]*sshConn
	limits   map[string]int // sessions per connection, where a host turned out to allow fewer
	sessions map[*sshSession]struct{}
	closed   bool

	running sync.WaitGroup // connections, and the goroutines of sessions
}

// ErrSSHPoolClosed says that a gateway was asked of a pool after its Close.
var ErrSSHPoolClosed = errors.New("ssh: the pool is closed")

// NewSSHPool returns a pool without connections.
func NewSSHPool(options SSHOptions) *SSHPool {
	return &SSHPool{
		options: options.withDefaults(), conns: map[string][]*sshConn{},
		limits: map[string]int{}, sessions: map[*sshSession]struct{}{},
	}
}

// Close ends all gateways and connections of the pool and waits until nothing of them is left.
func (p *SSHPool) Close() error {
	p.mu.Lock()
	p.closed = true
	var conns []*sshConn
	for _, list := range p.conns {
		conns = append(conns, list...)
	}
	var sessions []*sshSession
	for session := range p.sessions {
		sessions = append(sessions, session)
	}
	p.mu.Unlock()
	for _, session := range sessions {
		_ = session.Kill()
		_ = session.CloseRead()
	}
	for _, conn := range conns {
		conn.cut(ErrSSHPoolClosed)
	}
	p.running.Wait()
	return nil
}

// sshConn is one connection of a pool.
type sshConn struct {
	pool   *SSHPool
	target *sshTarget
	key    string
	cancel context.CancelCauseFunc
	ready  chan struct{} // closed once the connection stands or has failed

	// Set before ready is closed.
	err    error
	client *ssh.Client
	wire   *sshWire
	via    *sshConn

	// Guarded by pool.mu.
	refs     int // sessions, session attempts and tunnels that hold it
	sessions int // of these, sessions and session attempts
	opened   int // of these, sessions that are open
	opening  int // of these, waiting for the host's answer
	full     bool
	retired  bool // takes nobody in any more

	running sync.WaitGroup
}

// acquire returns a standing connection to the target and holds it: for one session, or for a
// tunnel to a host behind it. Those who need the same connection wait for the same attempt; it is
// given up when none of them waits any longer.
func (p *SSHPool) acquire(ctx context.Context, t *sshTarget, tunnel bool) (*sshConn, error) {
	key := t.key()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrSSHPoolClosed
	}
	i := slices.IndexFunc(p.conns[key], func(c *sshConn) bool {
		return !c.retired && (tunnel || !c.full && c.sessions < p.limit(key))
	})
	var conn *sshConn
	if i >= 0 {
		conn = p.conns[key][i]
	} else {
		conn = p.newConn(t, key)
	}
	conn.refs++
	if !tunnel {
		conn.sessions++
	}
	p.mu.Unlock()

	select {
	case <-conn.ready:
	case <-ctx.Done():
		if p.letGo(conn, tunnel) {
			go conn.shutDown() // the pool waits for it; the attempt may take a moment to notice
		}
		return nil, context.Cause(ctx)
	}
	if conn.err != nil {
		err := conn.err
		p.release(conn, tunnel)
		return nil, err
	}
	return conn, nil
}

// limit is how many sessions a connection takes. The caller holds p.mu.
func (p *SSHPool) limit(key string) int {
	if limit, known := p.limits[key]; known {
		return limit
	}
	return p.options.SessionsPerConnection
}

// newConn starts to connect. The caller holds p.mu.
func (p *SSHPool) newConn(t *sshTarget, key string) *sshConn {
	ctx, cancel := context.WithCancelCause(context.Background())
	conn := &sshConn{pool: p, target: t, key: key, cancel: cancel, ready: make(chan struct{})}
	p.conns[key] = append(p.conns[key], conn)
	p.running.Add(1) // ended by shutDown
	go conn.connect(ctx)
	return conn
}

// letGo gives up a hold and reports whether it was the last: then the caller has to shut the
// connection down.
func (p *SSHPool) letGo(conn *sshConn, tunnel bool) (last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	conn.refs--
	if !tunnel {
		conn.sessions--
	}
	if conn.refs > 0 {
		return false
	}
	p.retire(conn)
	return true
}

func (p *SSHPool) release(conn *sshConn, tunnel bool) {
	if p.letGo(conn, tunnel) {
		conn.shutDown()
	}
}

// retire takes a connection off the list. The caller holds p.mu.
func (p *SSHPool) retire(conn *sshConn) {
	if conn.retired {
		return
	}
	conn.retired = true
	p.conns[conn.key] = slices.DeleteFunc(p.conns[conn.key], func(c *sshConn) bool { return c == conn })
	if len(p.conns[conn.key]) == 0 {
		delete(p.conns, conn.key)
	}
}

// session opens a session with a target. When the host turns it down because its connection has as
// many as it allows, another connection takes it.
func (p *SSHPool) session(ctx context.Context, t *sshTarget) (*sshConn, ssh.Channel, <-chan *ssh.Request, error) {
	for lost := 0; ; {
		conn, err := p.acquire(ctx, t, false)
		if err != nil {
			return nil, nil, nil, err
		}
		channel, requests, err := conn.openSession(ctx)
		if err == nil {
			return conn, channel, requests, nil
		}
		alone := p.refused(conn)
		broken := conn.wire.err()
		var refusal *ssh.OpenChannelError
		full := errors.As(err, &refusal)
		if !full && ctx.Err() == nil {
			conn.retireNow() // it is dead, even if nobody has noticed yet
		}
		p.release(conn, false)
		switch {
		case ctx.Err() != nil:
			return nil, nil, nil, context.Cause(ctx)
		case full:
			if alone {
				return nil, nil, nil, fmt.Errorf("ssh: %s lets %s in but refuses a session (%s): %s", t.address(), t.user, refusal.Reason, refusal.Message)
			}
		case lost > 0:
			return nil, nil, nil, fmt.Errorf("ssh: the connection to %s was lost: %w", t.address(), cmp.Or(broken, err))
		default:
			lost++ // it had been open for others and died just now: once more with a new one
		}
	}
}

// refused reports whether a session that was turned down was the only thing on its connection, so
// that there cannot have been too many.
func (p *SSHPool) refused(conn *sshConn) (alone bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return conn.refs == 1
}

// openSession opens a session channel.
func (c *sshConn) openSession(ctx context.Context) (ssh.Channel, <-chan *ssh.Request, error) {
	p := c.pool
	p.mu.Lock()
	c.opening++
	p.mu.Unlock()
	type answer struct {
		channel  ssh.Channel
		requests <-chan *ssh.Request
		err      error
	}
	answers := make(chan answer, 1)
	c.running.Add(1)
	go func() {
		defer c.running.Done()
		channel, requests, err := c.client.OpenChannel("session", nil)
		c.noteAnswer(err)
		answers <- answer{channel, requests, err}
	}()
	select {
	case a := <-answers:
		return a.channel, a.requests, a.err
	case <-ctx.Done():
	}
	c.running.Add(1)
	go func() { // the session that comes too late is closed again
		defer c.running.Done()
		if a := <-answers; a.err == nil {
			_ = a.channel.Close()
			ssh.DiscardRequests(a.requests)
			c.sessionClosed()
		}
	}()
	return nil, nil, context.Cause(ctx)
}

// noteAnswer counts sessions. After a refusal nobody is sent to the connection until the host has
// answered all who are waiting; then it is known how many it allows.
func (c *sshConn) noteAnswer(err error) {
	p := c.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	c.opening--
	var refusal *ssh.OpenChannelError
	if err == nil {
		c.opened++
	} else if errors.As(err, &refusal) {
		c.full = true
	}
	if c.full && c.opening == 0 {
		c.full = false
		p.limits[c.key] = min(p.limit(c.key), max(1, c.opened))
	}
}

// sessionClosed says that a session no longer counts for the host's limit.
func (c *sshConn) sessionClosed() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.opened--
}

// tunnel opens a byte stream to an address as seen from the host.
func (c *sshConn) tunnel(ctx context.Context, address string) (net.Conn, error) {
	return c.client.DialContext(ctx, "tcp", address)
}

// cut breaks the connection, for the reason that its sessions then report.
func (c *sshConn) cut(reason error) {
	c.cancel(reason)
	select {
	case <-c.ready:
		if c.err == nil {
			c.wire.fail(reason)
			c.client.Close()
		}
	default: // cancel ends the attempt
	}
}
