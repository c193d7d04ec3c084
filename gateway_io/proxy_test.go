//go:build unix

package gatewayio_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// hosts returns a gateway of each CPython.
func hosts(t *testing.T) map[string]*gatewaybase.Gateway {
	t.Helper()
	g := multi.NewGroup()
	g.Stderr = t.Output()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	all := map[string]*gatewaybase.Gateway{}
	for _, python := range pythons.All(t) {
		gw, err := g.MakeGateway(within.Soon(t), python.Spec())
		require.NoError(t, err)
		all[python.Version()] = gw
	}
	return all
}

// startVia runs a command instead of an interpreter.
func startVia(t *testing.T, via *gatewaybase.Gateway, command string) gatewaybase.IO {
	t.Helper()
	return openVia(t, via, "popen//via=x//python="+command)
}

func openVia(t *testing.T, via *gatewaybase.Gateway, text string) gatewaybase.IO {
	t.Helper()
	spec, err := xspec.Parse(text)
	require.NoError(t, err)
	opener := gatewayio.Opener{Gateway: func(string) *gatewaybase.Gateway { return via }}
	p, err := opener.Open(within.Soon(t), spec)
	require.NoError(t, err)
	return p
}

func TestProxyPassesBytes(t *testing.T) {
	for version, via := range hosts(t) {
		t.Run(version, func(t *testing.T) {
			p := startVia(t, via, "sh -c cat")
			data := make([]byte, 3<<20)
			source := rand.NewChaCha8([32]byte{1})
			_, _ = source.Read(data) // never fails
			written := make(chan error, 1)
			go func() {
				var err error
				for rest := data; len(rest) > 0 && err == nil; {
					n := min(len(rest), 1+rand.IntN(400_000))
					_, err = p.Write(rest[:n])
					rest = rest[n:]
				}
				p.CloseWrite()
				written <- err
			}()
			received, err := io.ReadAll(p)
			require.NoError(t, err)
			require.NoError(t, <-written)
			assert.True(t, bytes.Equal(data, received))
			require.NoError(t, p.Wait(within.Soon(t)))
			assert.Equal(t, gatewaybase.Exit{Known: true}, p.Exit())
			_, err = p.Write([]byte("x"))
			assert.ErrorIs(t, err, io.ErrClosedPipe)
			assert.Empty(t, p.RemoteAddress())
			require.NoError(t, p.CloseRead())
		})
	}
}

func TestProxyEnds(t *testing.T) {
	for version, via := range hosts(t) {
		t.Run(version, func(t *testing.T) {
			// Everything it has written arrives, and its stderr.
			p := startVia(t, via, "sh -c 'head -c 1000000 /dev/zero; echo oh no >&2; exit 4'")
			received, err := io.ReadAll(p)
			require.NoError(t, err)
			assert.Len(t, received, 1000000)
			require.NoError(t, p.Wait(within.Soon(t)))
			assert.Equal(t, gatewaybase.Exit{Known: true, Code: 4, Stderr: "oh no\n"}, p.Exit())

			// Kill ends it while somebody else holds its output and while it is not read.
			p = startVia(t, via, "sh -c 'sleep 30 & echo up; exec cat /dev/zero'")
			_, err = io.ReadFull(p, make([]byte, 3))
			require.NoError(t, err)
			assert.ErrorIs(t, p.Wait(expired()), context.Canceled)
			require.NoError(t, p.Kill())
			require.NoError(t, p.Kill())
			_, err = io.Copy(io.Discard, p)
			require.NoError(t, err)
			require.NoError(t, p.Wait(within.Soon(t)))
			assert.Equal(t, "killed", p.Exit().Signal.String())

			// A write that nobody takes is freed, and so is a read.
			p = startVia(t, via, "sh -c 'exec sleep 30'")
			errs := make(chan error, 2)
			go func() {
				_, err := p.Write(make([]byte, 8<<20))
				errs <- err
			}()
			// It makes no difference when, but blocked is the more interesting case
			time.Sleep(50 * time.Millisecond)
			require.NoError(t, p.CloseWrite())
			assert.ErrorIs(t, <-errs, io.ErrClosedPipe)
			go func() {
				_, err := p.Read(make([]byte, 1))
				errs <- err
			}()
			require.NoError(t, p.CloseRead())
			assert.ErrorIs(t, <-errs, io.ErrClosedPipe)
			require.NoError(t, p.Kill())
			require.NoError(t, p.Wait(within.Soon(t)))

			// Without a reader it cannot go on.
			p = startVia(t, via, "sh -c 'trap \"\" TERM INT; echo up; exec cat /dev/zero'")
			_, err = io.ReadFull(p, make([]byte, 3))
			require.NoError(t, err)
			require.NoError(t, p.CloseRead())
			require.NoError(t, p.Wait(within.Soon(t)))
			assert.True(t, p.Exit().Known)
		})
	}
}

func expired() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// TestProxyToASocket connects from where another gateway runs.
func TestProxyToASocket(t *testing.T) {
	for version, via := range hosts(t) {
		t.Run(version, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			served := make(chan struct{})
			go func() {
				defer close(served)
				if conn, err := listener.Accept(); err == nil {
					_, _ = io.Copy(conn, conn) // the test reads what comes
					conn.Close()
				}
			}()
			spec := "socket=" + listener.Addr().String() + "//via=x"
			p := openVia(t, via, spec)
			go func() {
				_, _ = io.Copy(p, strings.NewReader(strings.Repeat("0123456789", 100_000)))
				p.CloseWrite()
			}()
			received, err := io.ReadAll(p)
			require.NoError(t, err)
			assert.Len(t, received, 1_000_000)
			require.NoError(t, p.Wait(within.Soon(t)))
			assert.False(t, p.Exit().Known)
			assert.Equal(t, listener.Addr().String(), p.RemoteAddress())
			<-served
			require.NoError(t, listener.Close())

			p = openVia(t, via, spec)
			_, err = p.Read(make([]byte, 1))
			var failed *gatewayio.ViaError
			require.ErrorAs(t, err, &failed)
			assert.ErrorContains(t, err, "refused")
			require.NoError(t, p.Wait(within.Soon(t)))
		})
	}
}
