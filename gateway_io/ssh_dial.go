package gatewayio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// sshWire is the byte stream under an ssh connection. It remembers when something was last heard,
// and what ended it.
type sshWire struct {
	net.Conn
	start  time.Time
	heard  atomic.Int64 // nanoseconds after start
	broken atomic.Pointer[error]
}

func newSSHWire(conn net.Conn) *sshWire { return &sshWire{Conn: conn, start: time.Now()} }

// Read implements net.Conn.
func (w *sshWire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if n > 0 {
		w.heard.Store(int64(time.Since(w.start)))
	}
	if err != nil {
		w.fail(err)
	}
	return n, err
}

// fail records why the wire is at its end; the first reason counts.
func (w *sshWire) fail(err error) { w.broken.CompareAndSwap(nil, &err) }

// err returns why the wire is at its end, nil while it is not.
func (w *sshWire) err() error {
	if err := w.broken.Load(); err != nil {
		return *err
	}
	return nil
}

func (w *sshWire) silence() time.Duration {
	return time.Since(w.start) - time.Duration(w.heard.Load())
}

// errSSHTimeout is the cause when a host does not complete a step in time.
var errSSHTimeout = errors.New("timed out")

// handshake makes a connection over an open byte stream: versions, keys, and the user let in.
func (t *sshTarget) handshake(ctx context.Context, wire *sshWire, o *SSHOptions, secrets *sshSecrets) (*ssh.Client, error) {
	hostKey, err := newHostKeyCheck(t, o.Stderr)
	if err != nil {
		wire.Close()
		return nil, err
	}
	// Closing the stream is what ends a handshake that hangs.
	clock := newSSHClock(t.connectTimeout, func() {
		wire.fail(fmt.Errorf("%w after %v", errSSHTimeout, t.connectTimeout))
		wire.Close()
	})
	defer clock.stop()
	stop := context.AfterFunc(ctx, func() {
		wire.fail(context.Cause(ctx))
		wire.Close()
	})
	defer stop()
	var auth *sshAuth
	config := &ssh.ClientConfig{
		User:              t.user,
		HostKeyAlgorithms: hostKey.algorithms(),
		Config:            ssh.Config{Ciphers: t.cipherList(), MACs: t.macList(), KeyExchanges: t.kexList()},
		HostKeyCallback: func(host string, remote net.Addr, key ssh.PublicKey) error {
			err := hostKey.check(host, remote, key)
			clock.restart()
			return err
		},
		AuthCallback: func(answer *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
			clock.restart()
			if auth == nil {
				auth = newSSHAuth(t, o, &sshPrompts{secrets, clock}, hostKey)
			}
			return auth.next(answer)
		},
	}
	defer func() {
		if auth != nil {
			auth.Close()
		}
	}()
	conn, channels, requests, err := ssh.NewClientConn(wire, hostKey.address, config)
	if err == nil {
		return ssh.NewClient(conn, channels, requests), nil
	}
	return nil, t.explain(ctx, err, wire, auth)
}

// explain turns a failed handshake into the error that says what to do.
func (t *sshTarget) explain(ctx context.Context, err error, wire *sshWire, auth *sshAuth) error {
	var hostKey *HostKeyError
	var refused *SSHAuthError
	var algorithms *ssh.AlgorithmNegotiationError
	switch cause := wire.err(); {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &hostKey):
		return hostKey
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &algorithms):
		keyword := map[string]string{"key exchange": "KexAlgorithms", "host key": "HostKeyAlgorithms"}[algorithms.What]
		if keyword == "" {
			keyword = "Ciphers or MACs"
		}
		return fmt.Errorf("ssh: %s and this client share no %s; it offers %s. Allow one of them with -o %s=+NAME, or add sshclient=openssh to the spec: %w",
			t.address(), algorithms.What, strings.Join(algorithms.RequestedAlgorithms, ","), keyword, err)
	case auth != nil:
		if errors.Is(cause, errSSHTimeout) {
			err = cause
		}
		return auth.failure(err)
	case errors.Is(cause, errSSHTimeout):
		return &HostNotFoundError{Host: t.address(), Err: fmt.Errorf("it accepts the connection, but the ssh handshake %w", cause)}
	default:
		return &HostNotFoundError{Host: t.address(), Err: err}
	}
}

func (t *sshTarget) cipherList() []string { return orUsual(t.ciphers, sshCiphers) }
func (t *sshTarget) macList() []string    { return orUsual(t.macs, sshMACs) }
func (t *sshTarget) kexList() []string    { return orUsual(t.kexes, sshKexes) }

func orUsual(names []string, have sshAlgorithms) []string {
	if names == nil {
		return have.usual
	}
	return names
}

// dialTCP connects to the target itself.
func (t *sshTarget) dialTCP(ctx context.Context) (net.Conn, error) {
	network := map[string]string{"any": "tcp", "inet": "tcp4", "inet6": "tcp6"}[t.addressFamily]
	dialer := net.Dialer{Timeout: t.connectTimeout}
	if !t.tcpKeepAlive {
		dialer.KeepAlive = -1
	}
	if t.bindAddress != "" {
		local, err := net.ResolveTCPAddr(network, net.JoinHostPort(t.bindAddress, "0"))
		if err != nil {
			return nil, fmt.Errorf("ssh: BindAddress %s: %w", t.bindAddress, err)
		}
		dialer.LocalAddr = local
	}
	for attempt := 1; ; attempt++ {
		conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(t.host, strconv.Itoa(t.port)))
		if err == nil {
			return conn, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if attempt >= t.attempts {
			return nil, &HostNotFoundError{Host: t.address(), Err: err}
		}
		select {
		case <-time.After(time.Second): // as OpenSSH waits between ConnectionAttempts
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}
