package sshclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/timeout"
)

// connection is one connection of a pool. Its goroutines are counted by running, which shutDown
// waits for.
type connection struct {
	pool   *Pool
	target *sshconfig.Target
	key    string
	cancel context.CancelCauseFunc
	ready  chan struct{} // closed once the connection is open or has failed
	step   atomic.Value  // a string: what connect is about to do

	// Set before ready is closed.
	err    error
	client *ssh.Client
	stream *trackedConn
	via    *connection

	// Guarded by pool.mu.
	refs     int  // sessions, session attempts and tunnels that hold it
	sessions int  // of these, sessions and session attempts
	opened   int  // of these, sessions that are open
	opening  int  // of these, waiting for the host's answer
	full     bool // the host has refused a session and not answered all attempts since
	retired  bool // gets no further sessions and tunnels

	running sync.WaitGroup
}

// errReleased is the reason of a connection's end when its last session or tunnel has ended.
var errReleased = errors.New("nobody uses the connection any more")

// connect opens the connection and starts what belongs to an open one.
func (c *connection) connect(ctx context.Context) {
	c.client, c.stream, c.via, c.err = c.pool.dial(ctx, c.target, func(doing string) { c.step.Store(doing) })
	if c.err != nil {
		c.retireNow()
		close(c.ready)
		return
	}
	if socket := c.target.ForwardAgent; socket != "" {
		if err := agent.ForwardToRemote(c.client, socket); err != nil {
			fmt.Fprintf(c.pool.stderr, "warning: execnet: ssh: the agent is not forwarded to %s: %v\n", c.target.Address(), err)
		}
	}
	ended := make(chan struct{})
	c.running.Go(func() {
		_ = c.client.Wait() // the stream has kept the reason
		c.stream.Close()
		c.retireNow()
		close(ended)
	})
	c.running.Go(func() { c.keepAlive(ended) })
	close(c.ready)
}

// shutDown closes the connection and waits until nothing of it is left.
func (c *connection) shutDown() {
	c.cancel(errReleased)
	<-c.ready
	if c.err == nil {
		c.stream.fail(errReleased)
		c.client.Close()
		c.running.Wait()
		if c.via != nil {
			c.pool.release(c.via, true)
		}
	}
	c.pool.running.Done()
}

// errSilent is the reason of a connection's end when its host does not answer keepalives.
var errSilent = errors.New("the host answers nothing any more")

// keepAlive asks the host for an answer whenever nothing came for an interval, and ends the
// connection when the host has been silent for aliveCountMax of them.
func (c *connection) keepAlive(ended <-chan struct{}) {
	interval := c.target.AliveInterval
	if interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	answered := make(chan struct{}, 1)
	asking := false
	for {
		select {
		case <-ended:
			return
		case <-answered:
			asking = false
		case <-ticker.C:
			silence := c.stream.silence()
			if limit := interval * time.Duration(c.target.AliveCountMax); silence > limit {
				c.stream.fail(fmt.Errorf("%w (nothing came for %v)", errSilent, limit))
				c.stream.Close()
			} else if silence >= interval*9/10 && !asking {
				asking = true
				c.running.Go(func() {
					// Even a refusal is an answer.
					_, _, _ = c.client.SendRequest("keepalive@openssh.com", true, nil)
					answered <- struct{}{}
				})
			}
		}
	}
}

// openSession opens a session channel.
func (c *connection) openSession(ctx context.Context) (ssh.Channel, <-chan *ssh.Request, error) {
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
	c.running.Go(func() {
		channel, requests, err := c.client.OpenChannel("session", nil)
		c.countAnswer(err)
		answers <- answer{channel, requests, err}
	})
	select {
	case a := <-answers:
		return a.channel, a.requests, a.err
	case <-ctx.Done():
	}
	c.running.Go(func() { // a session that is opened too late is closed again
		if a := <-answers; a.err == nil {
			_ = a.channel.Close()
			ssh.DiscardRequests(a.requests)
			c.sessionClosed()
		}
	})
	return nil, nil, timeout.During(ctx, "ssh: opening a session on "+c.target.Address())
}

// countAnswer counts sessions. After a refusal the connection gets no further attempts until the
// host has answered those under way; then it is known how many sessions it allows.
func (c *connection) countAnswer(err error) {
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
func (c *connection) sessionClosed() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.opened--
}

// abort ends the connection, for a reason that its sessions then report.
func (c *connection) abort(reason error) {
	c.cancel(reason)
	select {
	case <-c.ready:
		if c.err == nil {
			c.stream.fail(reason)
			c.client.Close()
		}
	default: // cancel ends the attempt
	}
}

// retireNow is Pool.retire for callers that do not hold its lock.
func (c *connection) retireNow() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.pool.retire(c)
}
