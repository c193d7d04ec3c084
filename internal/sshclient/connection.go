package sshclient

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/timeout"
)

// connection is one connection of a pool.
type connection struct {
	pool   *Pool
	target *sshconfig.Target
	key    string
	cancel context.CancelCauseFunc
	ready  chan struct{} // closed once the connection stands or has failed

	// Set before ready is closed.
	err    error
	client *ssh.Client
	stream *trackedConn
	via    *connection

	// Guarded by pool.mu.
	refs     int // sessions, session attempts and tunnels that hold it
	sessions int // of these, sessions and session attempts
	opened   int // of these, sessions that are open
	opening  int // of these, waiting for the host's answer
	full     bool
	retired  bool // takes nobody in any more

	running sync.WaitGroup
}

// errReleased is the reason with which a connection ends that nobody needs any more.
var errReleased = errors.New("nobody uses the connection any more")

// connect makes the connection and, if it stands, watches over it.
func (c *connection) connect(ctx context.Context) {
	c.client, c.stream, c.via, c.err = c.pool.dial(ctx, c.target)
	if c.err != nil {
		c.pool.mu.Lock()
		c.pool.retire(c)
		c.pool.mu.Unlock()
		close(c.ready)
		return
	}
	if socket := c.target.ForwardAgent; socket != "" {
		if err := agent.ForwardToRemote(c.client, socket); err != nil {
			fmt.Fprintf(c.pool.options.Stderr, "warning: execnet: ssh: the agent is not forwarded to %s: %v\n", c.target.Address(), err)
		}
	}
	ended := make(chan struct{})
	c.running.Add(2)
	go func() {
		defer c.running.Done()
		_ = c.client.Wait() // the stream has kept the reason
		c.stream.Close()
		c.pool.mu.Lock()
		c.pool.retire(c)
		c.pool.mu.Unlock()
		close(ended)
	}()
	go func() {
		defer c.running.Done()
		c.keepAlive(ended)
	}()
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

// errSilent is the reason when a host answers nothing any more.
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
				c.running.Add(1)
				go func() {
					defer c.running.Done()
					_, _, _ = c.client.SendRequest("keepalive@openssh.com", true, nil) // any answer will do
					answered <- struct{}{}
				}()
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
	return nil, nil, timeout.Cause(ctx)
}

// noteAnswer counts sessions. After a refusal nobody is sent to the connection until the host has
// answered all who are waiting; then it is known how many it allows.
func (c *connection) noteAnswer(err error) {
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

// retireNow takes a connection out of use on which something hangs; it ends with its last session.
func (c *connection) retireNow() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.pool.retire(c)
}
