//go:build unix

package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/tlstest"
)

// halfCloser is what all kinds of connections of these tests are.
type halfCloser interface {
	net.Conn
	CloseWrite() error
}

// pairs are the kinds of connections: near is the driver's end.
var pairs = map[string]func(t *testing.T) (near halfCloser, far net.Conn){
	"tcp": func(t *testing.T) (halfCloser, net.Conn) { return connected(t, "tcp", "127.0.0.1:0") },
	"unix": func(t *testing.T) (halfCloser, net.Conn) {
		dir, err := os.MkdirTemp("", "s") // t.TempDir's names may be too long for a socket
		require.NoError(t, err)
		t.Cleanup(func() { os.RemoveAll(dir) })
		return connected(t, "unix", filepath.Join(dir, "s"))
	},
	"tls": func(t *testing.T) (halfCloser, net.Conn) {
		near, far := connected(t, "tcp", "127.0.0.1:0")
		ca := tlstest.NewAuthority(t)
		return tls.Client(near, &tls.Config{RootCAs: ca.Pool(), ServerName: "localhost"}),
			tls.Server(far, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "localhost")}})
	},
}

func connected(t *testing.T, network, address string) (halfCloser, net.Conn) {
	t.Helper()
	l, err := net.Listen(network, address)
	require.NoError(t, err)
	defer l.Close()
	near, err := net.Dial(network, l.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { near.Close() })
	require.NoError(t, near.SetDeadline(time.Now().Add(20*time.Second)))
	far, err := l.Accept()
	require.NoError(t, err)
	return near.(halfCloser), far
}

// forEachPair runs a test for each kind of connection; serve starts serving the far end and returns
// what it returns.
func forEachPair(t *testing.T, c func(t *testing.T) Command, test func(t *testing.T, near halfCloser, cancel func(), result func() error)) {
	for name, pair := range pairs {
		t.Run(name, func(t *testing.T) {
			near, far := pair(t)
			command := c(t)
			ctx, cancel := context.WithCancel(context.Background())
			t.Cleanup(cancel)
			result := make(chan error, 1)
			go func() { result <- command.ServeConn(ctx, far) }()
			test(t, near, cancel, func() error {
				select {
				case err := <-result:
					return err
				case <-time.After(20 * time.Second):
					t.Fatal("ServeConn does not return")
					return nil
				}
			})
		})
	}
}

// greeted sends a first line and returns the worker's process id.
func greeted(t *testing.T, near net.Conn) (pid int, from *bufio.Reader) {
	t.Helper()
	_, err := io.WriteString(near, "'hello'\n")
	require.NoError(t, err)
	from = bufio.NewReader(near)
	answer, err := from.ReadString('\n')
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(answer, "1"), answer)
	pid, err = strconv.Atoi(strings.TrimSpace(answer[1:]))
	require.NoError(t, err)
	return pid, from
}

// assertGone asserts that no process has the id.
func assertGone(t *testing.T, pid int) {
	t.Helper()
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "process %d is left", pid)
}

func TestServeConnEcho(t *testing.T) {
	forEachPair(t, func(t *testing.T) Command { return worker(t, "echo") }, func(t *testing.T, near halfCloser, cancel func(), result func() error) {
		pid, from := greeted(t, near)
		sent := strings.Repeat("0123456789abcdef", 1<<16)
		go func() {
			_, _ = io.WriteString(near, sent)
			_ = near.CloseWrite()
		}()
		got, err := io.ReadAll(from)
		require.NoError(t, err)
		assert.True(t, sent == string(got), "%d bytes came of %d", len(got), len(sent))
		var failed *workerError
		require.ErrorAs(t, result(), &failed)
		assert.Equal(t, pid, failed.pid)
		assert.Equal(t, 3, failed.exit.Code)
		assert.EqualError(t, failed, "execnet: worker "+strconv.Itoa(pid)+" ended (exit status 3)")
		assertGone(t, pid)
	})
}

func TestServeConnStubbornWorkerIsKilled(t *testing.T) {
	forEachPair(t, func(t *testing.T) Command { return worker(t, "stubborn") }, func(t *testing.T, near halfCloser, cancel func(), result func() error) {
		pid, from := greeted(t, near)
		cancel()
		assert.ErrorIs(t, result(), context.Canceled)
		assertGone(t, pid)
		_, err := from.ReadByte()
		assert.Error(t, err)
	})
}

func TestServeConnWorkerDies(t *testing.T) {
	forEachPair(t, func(t *testing.T) Command { return worker(t, "stubborn") }, func(t *testing.T, near halfCloser, cancel func(), result func() error) {
		pid, from := greeted(t, near)
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		var failed *workerError
		require.ErrorAs(t, result(), &failed)
		assert.Equal(t, syscall.SIGKILL, failed.exit.Signal)
		_, err := from.ReadByte()
		assert.ErrorIs(t, err, io.EOF)
	})
}

func TestServeConnNobodyReads(t *testing.T) {
	forEachPair(t, func(t *testing.T) Command { return worker(t, "echo") }, func(t *testing.T, near halfCloser, cancel func(), result func() error) {
		pid, _ := greeted(t, near)
		require.NoError(t, near.SetWriteDeadline(time.Now().Add(500*time.Millisecond)))
		for {
			if _, err := near.Write(make([]byte, 1<<20)); err != nil {
				break
			}
		}
		cancel()
		assert.ErrorIs(t, result(), context.Canceled)
		assertGone(t, pid)
	})
}

func TestServeConnRefuses(t *testing.T) {
	for said, want := range map[string]string{
		"GET / HTTP/1.1\r\n\r\n":        `got "GET / HTTP/1.1\r\n\r\n"`,
		"\x16\x03\x01\x00\xee\x01\x00":  "it speaks TLS",
		"\n":                            `got "\n"`,
		"":                              "it sent nothing",
		"ux\n":                          `got "ux\n"`,
		"SSH-2.0-x\r\n":                 "SSH-2.0",
		strings.Repeat("\x00", 100_000): `got "\x00`,
	} {
		forEachPair(t, func(t *testing.T) Command { return Command{Args: []string{"must not be started"}} },
			func(t *testing.T, near halfCloser, cancel func(), result func() error) {
				_, _ = io.WriteString(near, said) // it may be refused halfway
				_ = near.CloseWrite()
				err := result()
				var refused *notDriverError
				require.ErrorAs(t, err, &refused)
				assert.ErrorContains(t, err, want)
				assert.LessOrEqual(t, len(refused.got), 64)
				_, err = near.Read(make([]byte, 1))
				assert.Error(t, err)
			})
	}
}

func TestServeConnLineInPieces(t *testing.T) {
	forEachPair(t, func(t *testing.T) Command { return worker(t, "echo") }, func(t *testing.T, near halfCloser, cancel func(), result func() error) {
		_, err := io.WriteString(near, "u")
		require.NoError(t, err)
		time.Sleep(20 * time.Millisecond) // what is to be seen is a connection that is slow
		pid, _ := greeted(t, near)
		near.Close()
		assert.Error(t, result())
		assertGone(t, pid)
	})
}

func TestServeConnCancelledBeforeTheLine(t *testing.T) {
	for _, said := range []string{"", "'"} {
		forEachPair(t, func(t *testing.T) Command { return Command{Args: []string{"must not be started"}} },
			func(t *testing.T, near halfCloser, cancel func(), result func() error) {
				if secure, ok := near.(*tls.Conn); ok {
					require.NoError(t, secure.Handshake())
				}
				_, err := io.WriteString(near, said)
				require.NoError(t, err)
				cancel()
				assert.ErrorIs(t, result(), context.Canceled)
			})
	}
}

func TestServeConnCannotStart(t *testing.T) {
	forEachPair(t, func(t *testing.T) Command { return Command{Args: []string{"/no/such/program"}} },
		func(t *testing.T, near halfCloser, cancel func(), result func() error) {
			_, err := io.WriteString(near, "'hello'\n")
			require.NoError(t, err)
			var failed *gatewayio.StartError
			assert.ErrorAs(t, result(), &failed)
		})
}
