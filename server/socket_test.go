//go:build unix

package server

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
)

// dial connects to a listener.
func dial(t *testing.T, l net.Listener) halfCloser {
	t.Helper()
	conn, err := net.Dial("tcp", l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	return conn.(halfCloser)
}

func TestSocketManyAtOnce(t *testing.T) {
	const many = 50
	l, log := listen(t), newLog()
	end := serving(t, func(ctx context.Context) error {
		return Socket{Command: worker(t, "echo"), Log: log}.Serve(ctx, l)
	})
	var pids [many]int
	var wg sync.WaitGroup
	for i := range many {
		wg.Go(func() {
			conn := dial(t, l)
			pid, from := greeted(t, conn)
			_, err := io.WriteString(conn, "ping\n")
			assert.NoError(t, err)
			got, err := from.ReadString('\n')
			assert.NoError(t, err)
			assert.Equal(t, "ping\n", got)
			pids[i] = pid
		})
	}
	wg.Wait()
	seen := map[int]bool{}
	for _, pid := range pids {
		assert.NoError(t, syscall.Kill(pid, 0))
		seen[pid] = true
	}
	assert.Len(t, seen, many)
	assert.ErrorIs(t, end(), context.Canceled)
	for _, pid := range pids {
		assertGone(t, pid)
	}
	log.await(t, "started", many)
	log.await(t, "(exit status 3)", many)
	_, err := net.Dial("tcp", l.Addr().String())
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
}

func TestSocketOnce(t *testing.T) {
	l, log := listen(t), newLog()
	served := make(chan error, 1)
	go func() {
		served <- Socket{Command: worker(t, "echo"), Once: true, Log: log}.Serve(context.Background(), l)
	}()
	dial(t, l).Close()
	log.await(t, "refused: not a driver of execnet: it sent nothing", 1)
	silent := dial(t, l)

	conn := dial(t, l)
	pid, _ := greeted(t, conn)
	_, err := silent.Read(make([]byte, 1))
	assert.Error(t, err, "who has said nothing yet is too late")
	_, err = net.Dial("tcp", l.Addr().String())
	assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	require.NoError(t, conn.CloseWrite())
	require.NoError(t, <-served)
	assertGone(t, pid)
}

func TestSocketWorkerIsKilled(t *testing.T) {
	l, log := listen(t), newLog()
	serving(t, func(ctx context.Context) error {
		return Socket{Command: worker(t, "echo"), Log: log}.Serve(ctx, l)
	})
	conn, other := dial(t, l), dial(t, l)
	pid, from := greeted(t, conn)
	_, fromOther := greeted(t, other)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	_, err := from.ReadByte()
	assert.ErrorIs(t, err, io.EOF)
	log.await(t, "signal: killed", 1)
	_, err = io.WriteString(other, "x")
	require.NoError(t, err)
	got, err := fromOther.ReadByte()
	require.NoError(t, err)
	assert.Equal(t, byte('x'), got)
}

func TestSocketSilentConnections(t *testing.T) {
	usual := firstLineTime
	firstLineTime = 100 * time.Millisecond
	t.Cleanup(func() { firstLineTime = usual })
	for name, config := range map[string]*tls.Config{"plain": nil, "tls": {Certificates: []tls.Certificate{tlstest.NewAuthority(t).Issue(t, "localhost")}}} {
		l, log := listen(t), newLog()
		end := serving(t, func(ctx context.Context) error {
			return Socket{Command: Command{Args: []string{"must not be started"}}, TLS: config, Log: log}.Serve(ctx, l)
		})
		conn := dial(t, l)
		_, err := conn.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF, name)
		log.await(t, "timeout", 1)
		slow := dial(t, l)
		_, err = io.WriteString(slow, "'")
		require.NoError(t, err)
		_, err = io.ReadAll(slow)
		if err != nil { // what it has sent was not read
			assert.ErrorIs(t, err, syscall.ECONNRESET, name)
		}
		log.await(t, "timeout", 2)
		_ = end()
		assert.NotContains(t, log.String(), "worker", name)
	}
}

func TestSocketMaxConns(t *testing.T) {
	l, log := listen(t), newLog()
	serving(t, func(ctx context.Context) error {
		return Socket{Command: worker(t, "echo"), MaxConns: 2, Log: log}.Serve(ctx, l)
	})
	first, second := dial(t, l), dial(t, l)
	greeted(t, first)
	greeted(t, second)
	for range 3 {
		_, err := dial(t, l).Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF)
	}
	log.await(t, "there are 2 connections already", 1)
	require.NoError(t, first.CloseWrite())
	log.await(t, "ended", 1)
	require.Eventually(t, func() bool { // the log is written a moment before there is room
		conn := dial(t, l)
		_, _ = io.WriteString(conn, "'hello'\n")
		answer := make([]byte, 1)
		_, err := conn.Read(answer)
		return err == nil && answer[0] == '1'
	}, 10*time.Second, 10*time.Millisecond)
}

// failingListener fails some times before it works.
type failingListener struct {
	net.Listener
	failures atomic.Int32
}

func (l *failingListener) Accept() (net.Conn, error) {
	if l.failures.Add(-1) >= 0 {
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestSocketAcceptFails(t *testing.T) {
	l, log := &failingListener{Listener: listen(t)}, newLog()
	l.failures.Store(3)
	serving(t, func(ctx context.Context) error {
		return Socket{Command: worker(t, "echo"), Log: log}.Serve(ctx, l)
	})
	greeted(t, dial(t, l))
	log.await(t, "cannot accept connections: accept: too many open files", 1)

	l = &failingListener{Listener: listen(t)}
	l.failures.Store(1 << 30)
	end := serving(t, func(ctx context.Context) error { return Socket{Log: log}.Serve(ctx, l) })
	log.await(t, "cannot accept", 2)
	assert.ErrorIs(t, end(), context.Canceled)
}

func TestSocketListenerClosed(t *testing.T) {
	l := listen(t)
	served := make(chan error, 1)
	go func() { served <- Socket{Command: worker(t, "echo")}.Serve(context.Background(), l) }()
	conn := dial(t, l)
	pid, _ := greeted(t, conn)
	l.Close()
	select {
	case err := <-served:
		t.Fatalf("it did not wait for the worker: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	require.NoError(t, conn.CloseWrite())
	require.NoError(t, <-served)
	assertGone(t, pid)
}

func TestSocketTLS(t *testing.T) {
	ca, other := tlstest.NewAuthority(t), tlstest.NewAuthority(t)
	l, log := listen(t), newLog()
	config := &tls.Config{
		Certificates: []tls.Certificate{ca.Issue(t, "localhost")}, ClientCAs: ca.Pool(),
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}
	serving(t, func(ctx context.Context) error {
		return Socket{Command: worker(t, "echo"), TLS: config, Log: log}.Serve(ctx, l)
	})
	client := func(certificates ...tls.Certificate) *tls.Conn {
		return tls.Client(dial(t, l), &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost", Certificates: certificates})
	}
	good := client(ca.Issue(t, "alice"))
	pid, _ := greeted(t, good)
	log.await(t, `started for "CN=alice"`, 1)
	require.NoError(t, good.CloseWrite())
	rest, err := io.ReadAll(good)
	require.NoError(t, err, "the end is told by close_notify")
	assert.Empty(t, rest)
	log.await(t, "exit status 3", 1)
	assertGone(t, pid)

	for _, conn := range []*tls.Conn{client(), client(other.Issue(t, "mallory"))} {
		_, err := io.WriteString(conn, "'hello'\n")
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		assert.Error(t, err)
		assert.False(t, errors.Is(err, io.EOF), err)
	}
	log.await(t, "client didn't provide a certificate", 1)
	log.await(t, "unknown authority", 1)

	plain := dial(t, l)
	_, err = io.WriteString(plain, "'hello'\n")
	require.NoError(t, err)
	_, _ = io.ReadAll(plain)
	log.await(t, "does not look like a TLS handshake", 1)
}

// A log that takes nothing holds up neither connections nor the end.
func TestSocketStuckLog(t *testing.T) {
	l := listen(t)
	unread, log := io.Pipe()
	t.Cleanup(func() { assert.NoError(t, unread.Close()) })
	end := serving(t, func(ctx context.Context) error {
		return Socket{Command: worker(t, "echo"), Log: log}.Serve(ctx, l)
	})
	for range 2 {
		conn := dial(t, l)
		_, from := greeted(t, conn)
		_, err := io.WriteString(conn, "ping\n")
		require.NoError(t, err)
		got, err := from.ReadString('\n')
		require.NoError(t, err)
		assert.Equal(t, "ping\n", got)
	}
	assert.ErrorIs(t, end(), context.Canceled)
}
