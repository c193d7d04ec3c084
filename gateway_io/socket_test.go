//go:build unix

package gatewayio

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/netpipe"
)

// dialed returns both ends of a connection made by dialSocket.
func dialed(t *testing.T, listenAddress string) (*netpipe.Pipe, *net.TCPConn) {
	t.Helper()
	listener, err := net.Listen("tcp", listenAddress)
	require.NoError(t, err)
	defer listener.Close()
	s, err := dialSocket(t.Context(), listener.Addr().String())
	require.NoError(t, err)
	assert.Equal(t, listener.Addr().String(), s.RemoteAddress())
	far, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() {
		far.Close()
		assert.NoError(t, s.Kill())
	})
	return s, far.(*net.TCPConn)
}

// gone is a context for a Wait that is not to wait.
func gone() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

func TestSocketBothWays(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		s, far := dialed(t, address)
		_, err := s.Write([]byte("ping"))
		require.NoError(t, err)
		require.NoError(t, s.CloseWrite())
		require.NoError(t, s.CloseWrite())
		received, err := io.ReadAll(far)
		require.NoError(t, err)
		assert.Equal(t, "ping", string(received))
		_, err = s.Write([]byte("more"))
		assert.ErrorIs(t, err, net.ErrClosed)

		_, err = far.Write([]byte("pong"))
		require.NoError(t, err)
		require.NoError(t, far.CloseWrite())
		received, err = io.ReadAll(s)
		require.NoError(t, err)
		assert.Equal(t, "pong", string(received), "it still reads")
		assert.ErrorIs(t, s.Wait(gone()), context.Canceled)
		require.NoError(t, s.CloseRead())
		require.NoError(t, s.CloseRead())
		require.NoError(t, s.Wait(context.Background()))
		require.NoError(t, s.Kill())
		assert.Equal(t, gatewaybase.Exit{}, s.Exit())
	}
}

func TestSocketFreesWhoIsBlocked(t *testing.T) {
	s, _ := dialed(t, "127.0.0.1:0")
	errs := make(chan error, 2)
	go func() {
		_, err := s.Read(make([]byte, 1))
		errs <- err
	}()
	require.NoError(t, s.CloseRead())
	assert.ErrorIs(t, <-errs, net.ErrClosed)

	blocked := make(chan struct{})
	go func() {
		for {
			if _, err := s.Write(make([]byte, 1<<20)); err != nil {
				errs <- err
				return
			}
			select {
			case blocked <- struct{}{}:
			default:
			}
		}
	}()
	<-blocked
	require.NoError(t, s.CloseWrite())
	assert.ErrorIs(t, <-errs, net.ErrClosed)
	require.NoError(t, s.Wait(context.Background()))
}

func TestSocketKill(t *testing.T) {
	s, far := dialed(t, "127.0.0.1:0")
	read := make(chan error, 1)
	go func() {
		_, err := s.Read(make([]byte, 1))
		read <- err
	}()
	require.NoError(t, s.Kill())
	assert.ErrorIs(t, <-read, net.ErrClosed)
	require.NoError(t, s.Wait(context.Background()))
	_, err := far.Read(make([]byte, 1))
	assert.Error(t, err)
	assert.False(t, errors.Is(err, io.EOF), "it is no orderly end: %v", err)
}

func TestDialSocketGivesUp(t *testing.T) {
	_, err := dialSocket(gone(), "127.0.0.1:9")
	assert.ErrorIs(t, err, context.Canceled)

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err = dialSocket(ctx, blackHole(t))
	assert.Less(t, time.Since(begin), 15*time.Second)
	var notFound *HostNotFoundError
	require.ErrorAs(t, err, &notFound)
	assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	assert.ErrorContains(t, err, "no answer in time")
}
