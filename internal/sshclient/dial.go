package sshclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/sshconfig"
	"github.com/go-execnet/execnet/internal/timeout"
)

// dial opens the byte stream to a target, directly, through a jump host or through a command, and
// logs in. It calls step with what it is about to do. via is the jump host's connection, nil if
// there is none.
func (p *Pool) dial(ctx context.Context, t *sshconfig.Target, step func(doing string)) (client *ssh.Client, stream *trackedConn, via *connection, err error) {
	var raw net.Conn
	switch {
	case t.Via != nil:
		step("connecting to the jump host " + t.Via.Address() + " on the way to " + t.Address())
		if via, err = p.acquire(ctx, t.Via, true); err != nil {
			return nil, nil, nil, farend.SSHError("on the way to "+t.Address(), err)
		}
		step("connecting to " + t.Address() + " through the jump host " + t.Via.Address())
		raw, err = dialThrough(ctx, t, via)
	case t.ProxyCommand != "":
		raw, err = startProxyCommand(t.ProxyCommand, p.stderr)
	default:
		step("connecting to " + t.Address())
		raw, err = dialTCP(ctx, t)
	}
	if err == nil {
		stream = newTrackedConn(raw)
		step("the ssh handshake with " + t.Address())
		client, err = p.handshake(ctx, t, stream, step)
	}
	if err != nil {
		if stream != nil {
			stream.Close()
		}
		if via != nil {
			p.release(via, true)
		}
		return nil, nil, nil, err
	}
	return client, stream, via, nil
}

// dialTCP connects to the target itself.
func dialTCP(ctx context.Context, t *sshconfig.Target) (net.Conn, error) {
	network := map[string]string{"any": "tcp", "inet": "tcp4", "inet6": "tcp6"}[t.AddressFamily]
	dialer := net.Dialer{Timeout: t.ConnectTimeout}
	if !t.TCPKeepAlive {
		dialer.KeepAlive = -1
	}
	if t.BindAddress != "" {
		local, err := net.ResolveTCPAddr(network, net.JoinHostPort(t.BindAddress, "0"))
		if err != nil {
			return nil, fmt.Errorf("BindAddress %s: %w", t.BindAddress, err)
		}
		dialer.LocalAddr = local
	}
	for attempt := 1; ; attempt++ {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(t.Host, strconv.Itoa(t.Port)))
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, timeout.During(ctx, "ssh: connecting to "+t.Address())
		}
		if attempt >= t.Attempts {
			var netError net.Error
			var unknown *net.DNSError
			if errors.As(err, &netError) && netError.Timeout() && !errors.As(err, &unknown) {
				err = fmt.Errorf("%w after %v", errTimedOut, t.ConnectTimeout)
			}
			return nil, &farend.HostNotFoundError{Host: t.Address(), Err: err}
		}
		select {
		case <-time.After(time.Second): // as OpenSSH waits between ConnectionAttempts
		case <-ctx.Done():
			return nil, timeout.During(ctx, "ssh: connecting to "+t.Address())
		}
	}
}

// dialThrough asks a jump host to connect to the target.
func dialThrough(ctx context.Context, t *sshconfig.Target, via *connection) (net.Conn, error) {
	if t.ConnectTimeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, t.ConnectTimeout, fmt.Errorf("%w after %v", errTimedOut, t.ConnectTimeout))
		defer cancel()
	}
	stream, err := via.client.DialContext(ctx, "tcp", net.JoinHostPort(t.Host, strconv.Itoa(t.Port)))
	if err == nil {
		return stream, nil
	}
	if ctx.Err() != nil {
		if err = context.Cause(ctx); !errors.Is(err, errTimedOut) {
			return nil, timeout.During(ctx, "ssh: connecting to "+t.Address()+" through the jump host "+via.target.Address())
		}
	}
	return nil, &farend.HostNotFoundError{Host: t.Address(), Err: fmt.Errorf("the jump host %s cannot connect to it: %w", via.target.Address(), err)}
}

// proxyCommandConn is the stdin and stdout of a ProxyCommand.
type proxyCommandConn struct {
	io.Reader
	io.Writer
	cmd    *exec.Cmd
	stdin  io.Closer
	stdout io.Closer
	once   sync.Once
}

// proxyCommandAddr is the address of a proxyCommandConn, which has none.
var proxyCommandAddr net.Addr = &net.UnixAddr{Net: "proxycommand", Name: "proxycommand"}

// proxyCommandWait is how long a process that a killed ProxyCommand has started may hold its stderr
// open.
const proxyCommandWait = time.Second

// startProxyCommand runs command through the user's shell, as OpenSSH does.
func startProxyCommand(command string, stderr io.Writer) (net.Conn, error) {
	line := command
	if runtime.GOOS != "windows" {
		line = "exec " + command
	}
	cmd := sshconfig.UserShell(context.Background(), line) // Close ends it
	cmd.Stderr = stderr
	cmd.WaitDelay = proxyCommandWait
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("ProxyCommand %s: %w", command, err)
	}
	return &proxyCommandConn{Reader: stdout, Writer: stdin, cmd: cmd, stdin: stdin, stdout: stdout}, nil
}

// Close implements net.Conn: the command is killed and reaped.
func (c *proxyCommandConn) Close() error {
	c.once.Do(func() {
		c.stdin.Close()
		_ = c.cmd.Process.Kill()
		c.stdout.Close()
		_ = c.cmd.Wait()
	})
	return nil
}

// LocalAddr implements net.Conn.
func (c *proxyCommandConn) LocalAddr() net.Addr { return proxyCommandAddr }

// RemoteAddr implements net.Conn.
func (c *proxyCommandConn) RemoteAddr() net.Addr { return proxyCommandAddr }

// SetDeadline implements net.Conn; the ssh client sets none.
func (c *proxyCommandConn) SetDeadline(time.Time) error { return os.ErrNoDeadline }

// SetReadDeadline implements net.Conn.
func (c *proxyCommandConn) SetReadDeadline(time.Time) error { return os.ErrNoDeadline }

// SetWriteDeadline implements net.Conn.
func (c *proxyCommandConn) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }
