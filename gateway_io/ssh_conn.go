package gatewayio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// errSSHReleased is the reason with which a connection ends that nobody needs any more.
var errSSHReleased = errors.New("ssh: nobody uses the connection any more")

// connect makes the connection and, if it stands, watches over it.
func (c *sshConn) connect(ctx context.Context) {
	c.client, c.wire, c.via, c.err = c.pool.dial(ctx, c.target)
	if c.err != nil {
		c.pool.mu.Lock()
		c.pool.retire(c)
		c.pool.mu.Unlock()
		close(c.ready)
		return
	}
	if socket := c.target.forwardAgent; socket != "" {
		if err := agent.ForwardToRemote(c.client, socket); err != nil {
			fmt.Fprintf(c.pool.options.Stderr, "warning: ssh: the agent is not forwarded to %s: %v\n", c.target.address(), err)
		}
	}
	ended := make(chan struct{})
	c.running.Add(2)
	go func() {
		defer c.running.Done()
		_ = c.client.Wait() // the wire has kept the reason
		c.wire.Close()
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
func (c *sshConn) shutDown() {
	c.cancel(errSSHReleased)
	<-c.ready
	if c.err == nil {
		c.wire.fail(errSSHReleased)
		c.client.Close()
		c.running.Wait()
		if c.via != nil {
			c.pool.release(c.via, true)
		}
	}
	c.pool.running.Done()
}

// errSSHSilent is the reason when a host answers nothing any more.
var errSSHSilent = errors.New("the host answers nothing any more")

// keepAlive asks the host for a sign of life whenever nothing came for an interval, and cuts the
// connection when the host has been silent for aliveCountMax of them.
func (c *sshConn) keepAlive(ended <-chan struct{}) {
	interval := c.target.aliveInterval
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
			silence := c.wire.silence()
			if limit := interval * time.Duration(c.target.aliveCountMax); silence > limit {
				c.wire.fail(fmt.Errorf("%w (no sign of life for %v)", errSSHSilent, limit))
				c.wire.Close()
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

// dial opens the byte stream to a target, straight, through a jump host or through a command, and
// does the handshake.
func (p *SSHPool) dial(ctx context.Context, t *sshTarget) (client *ssh.Client, wire *sshWire, via *sshConn, err error) {
	var stream net.Conn
	switch {
	case t.via != nil:
		if via, err = p.acquire(ctx, t.via, true); err != nil {
			return nil, nil, nil, fmt.Errorf("ssh: on the way to %s: %w", t.address(), err)
		}
		stream, err = t.dialThrough(ctx, via)
	case t.proxyCommand != "":
		stream, err = startProxyCommand(t.proxyCommand, p.options.Stderr)
	default:
		stream, err = t.dialTCP(ctx)
	}
	if err == nil {
		wire = newSSHWire(stream)
		client, err = t.handshake(ctx, wire, &p.options, &p.secrets)
	}
	if err != nil {
		if wire != nil {
			wire.Close()
		}
		if via != nil {
			p.release(via, true)
		}
		return nil, nil, nil, err
	}
	return client, wire, via, nil
}

// dialThrough asks a jump host to connect to the target.
func (t *sshTarget) dialThrough(ctx context.Context, via *sshConn) (net.Conn, error) {
	if t.connectTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.connectTimeout, fmt.Errorf("%w after %v", errSSHTimeout, t.connectTimeout))
		defer cancel()
	}
	stream, err := via.tunnel(ctx, net.JoinHostPort(t.host, strconv.Itoa(t.port)))
	if err == nil {
		return stream, nil
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
		if !errors.Is(err, errSSHTimeout) {
			return nil, err
		}
	}
	return nil, &HostNotFoundError{Host: t.address(), Err: fmt.Errorf("the jump host %s cannot connect to it: %w", via.target.address(), err)}
}
