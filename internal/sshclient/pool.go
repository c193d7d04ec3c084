// Package sshclient is the native ssh client. It needs no ssh program: a Pool holds the connections
// and runs commands over them, each in a Session. Package sshconfig says how a host is reached.
//
// What happens on the way to a session, and the file of each step: [Pool.Start] resolves the
// configuration (pool.go), takes or makes a connection (connection.go), which dials (dial.go),
// checks the host's key and logs in (handshake.go, hostkey.go, auth.go, keys.go); then it opens the
// session (session.go).
package sshclient

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/timeout"
)

// ErrClosed says that a gateway was asked of a pool after its Close.
var ErrClosed = errors.New("execnet: ssh: the pool is closed")

// Pool runs commands over ssh, all those of one host over as few connections as the host allows. It
// is safe for concurrent use.
//
// A connection is made when the first session needs it, shared by those for which the same settings
// apply (host, user, keys, jump hosts and the rest), and closed when the last of them has ended.
// sshd allows ten sessions per connection unless MaxSessions says otherwise; when more are started,
// further connections are opened.
type Pool struct {
	options  Options
	defaults sshconfig.Defaults
	secrets  secrets
	stderr   *farend.Outlet // for warnings and proxy commands

	mu       sync.Mutex               // guards what follows, and fields of connection that say so
	conns    map[string][]*connection // by Target.Key, without those that are retired
	limits   map[string]int           // by Target.Key: what a connection takes, if the host said so
	sessions map[*Session]struct{}
	closed   bool

	running sync.WaitGroup // connections, and the goroutines of sessions
}

// NewPool returns a pool without connections.
func NewPool(options Options) *Pool {
	options = options.withDefaults()
	stderr := farend.NewOutlet(options.Stderr)
	return &Pool{
		options: options, stderr: stderr,
		defaults: sshconfig.Defaults{
			Home: options.home, SystemFile: options.systemConfig, ConnectTimeout: options.ConnectTimeout,
			AliveInterval: options.AliveInterval, AliveCountMax: options.AliveCountMax, Stderr: stderr,
		},
		conns:  map[string][]*connection{},
		limits: map[string]int{}, sessions: map[*Session]struct{}{},
	}
}

// Close ends all sessions and connections of the pool and waits until nothing of them is left.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	var conns []*connection
	for _, list := range p.conns {
		conns = append(conns, list...)
	}
	var sessions []*Session
	for session := range p.sessions {
		sessions = append(sessions, session)
	}
	p.mu.Unlock()
	for _, session := range sessions {
		_ = session.Kill()
		_ = session.CloseRead()
	}
	for _, conn := range conns {
		conn.abort(ErrClosed)
	}
	p.running.Wait()
	p.stderr.FlushSoon()
}

// ConfigFiles are the configuration files that apply: the one that is named, by ssh_config= or -F,
// or the user's and the system's if named is "".
func (p *Pool) ConfigFiles(named string) []sshconfig.File {
	return p.defaults.Files(named)
}

// Start runs a command on the host that args name, and returns once the host has opened the
// session; what is written then is sent as soon as the host has started the command. If the host
// refuses to run it, the session's Read and Write return an error that says so. files are the
// configuration files to read. address is what the session's RemoteAddress returns. What the
// command writes to its stderr goes to stderr, or to that of the Options if stderr is nil. Sessions
// that are started one after the other with the same hold need one login; nil means that this is
// the only one.
//
// Its errors are *farend.HostNotFoundError, *HostKeyError, *AuthError, *sshconfig.UnsupportedError,
// ErrClosed, timeout.Err or the cause of ctx's end, or say what is wrong in the configuration.
func (p *Pool) Start(ctx context.Context, args *sshconfig.Args, files []sshconfig.File, command, address string, stderr io.Writer, hold *Hold) (*Session, error) {
	target, err := p.defaults.Resolve(ctx, args, files, command)
	if err != nil {
		return nil, err
	}
	session, err := p.startSession(ctx, target, command, address, stderr, hold)
	if err != nil {
		return nil, farend.SSHError("", err)
	}
	return session, nil
}

// Hold keeps the connection of the first session that is started with it open, until Release. The
// zero Hold is ready.
type Hold struct {
	conn *connection // guarded by the pool's mu
}

// keep has the hold keep a connection, which its caller uses, if it keeps none yet.
func (h *Hold) keep(conn *connection) {
	if h == nil {
		return
	}
	conn.pool.mu.Lock()
	defer conn.pool.mu.Unlock()
	if h.conn == nil {
		h.conn = conn
		conn.refs++
	}
}

// Release ends the hold. No session may be starting with it.
func (h *Hold) Release() {
	if h.conn != nil {
		h.conn.pool.release(h.conn, true)
		h.conn = nil
	}
}

// acquire returns an open connection to the target, which stays open until release is called: for
// one session, or for a tunnel to a host behind it. Callers that need the same connection wait for
// the same attempt, which is cancelled when none of them waits any longer.
func (p *Pool) acquire(ctx context.Context, t *sshconfig.Target, tunnel bool) (*connection, error) {
	key := t.Key()
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	i := slices.IndexFunc(p.conns[key], func(c *connection) bool {
		return !c.retired && (tunnel || !c.full && c.sessions < p.limit(key))
	})
	var conn *connection
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
		if p.drop(conn, tunnel) {
			go conn.shutDown() // the pool waits for it; the attempt may take a moment to notice
		}
		return nil, timeout.During(ctx, "ssh: "+conn.step.Load().(string))
	}
	if conn.err != nil {
		err := conn.err
		p.release(conn, tunnel)
		return nil, err
	}
	return conn, nil
}

// limit is how many sessions a connection takes. The caller holds p.mu.
func (p *Pool) limit(key string) int {
	if limit, known := p.limits[key]; known {
		return limit
	}
	return p.options.SessionsPerConnection
}

// newConn starts to connect. The caller holds p.mu.
func (p *Pool) newConn(t *sshconfig.Target, key string) *connection {
	ctx, cancel := context.WithCancelCause(context.Background())
	conn := &connection{pool: p, target: t, key: key, cancel: cancel, ready: make(chan struct{})}
	conn.step.Store("connecting to " + t.Address())
	p.conns[key] = append(p.conns[key], conn)
	p.running.Add(1) // ended by shutDown
	go conn.connect(ctx)
	return conn
}

// drop is release without shutting the connection down, which the caller has to do if last is true.
func (p *Pool) drop(conn *connection, tunnel bool) (last bool) {
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

// release ends what acquire began, and shuts the connection down if it was the last user.
func (p *Pool) release(conn *connection, tunnel bool) {
	if p.drop(conn, tunnel) {
		conn.shutDown()
	}
}

// retire removes a connection from those that get sessions and tunnels. The caller holds p.mu.
func (p *Pool) retire(conn *connection) {
	if conn.retired {
		return
	}
	conn.retired = true
	p.conns[conn.key] = slices.DeleteFunc(p.conns[conn.key], func(c *connection) bool { return c == conn })
	if len(p.conns[conn.key]) == 0 {
		delete(p.conns, conn.key)
	}
}

// session opens a session with a target. When the host refuses it because the connection has as
// many as the host allows, it is opened on another connection.
func (p *Pool) session(ctx context.Context, t *sshconfig.Target) (*connection, ssh.Channel, <-chan *ssh.Request, error) {
	for lost := 0; ; {
		conn, err := p.acquire(ctx, t, false)
		if err != nil {
			return nil, nil, nil, err
		}
		channel, requests, err := conn.openSession(ctx)
		if err == nil {
			return conn, channel, requests, nil
		}
		alone := p.onlyUser(conn)
		reason := conn.stream.err()
		var refusal *ssh.OpenChannelError
		full := errors.As(err, &refusal)
		if !full && ctx.Err() == nil {
			conn.retireNow() // it has ended, even if that is not noticed yet
		}
		p.release(conn, false)
		switch {
		case ctx.Err() != nil:
			return nil, nil, nil, timeout.During(ctx, "ssh: opening a session on "+t.Address())
		case full:
			if alone {
				return nil, nil, nil, fmt.Errorf("%s lets %s in but refuses a session (%s): %s", t.Address(), t.User, refusal.Reason, refusal.Message)
			}
		case lost > 0:
			return nil, nil, nil, connectionLost(t, cmp.Or(reason, err))
		default:
			lost++ // it was open for others and has just ended: once more with a new one
		}
	}
}

// onlyUser reports whether a session that the host has refused is the only user of its connection,
// so that there cannot have been too many sessions.
func (p *Pool) onlyUser(conn *connection) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return conn.refs == 1
}
