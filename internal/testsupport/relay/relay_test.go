package relay

import (
	"bytes"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// echo is a server that sends back what it gets, and then ends.
func echo(t *testing.T) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestRelayDelaysWithoutSlowing(t *testing.T) {
	const delay = 40 * time.Millisecond
	r, err := Start(echo(t))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, r.Close()) })
	r.SetDelay(delay)
	conn, err := net.Dial("tcp", r.Addr)
	require.NoError(t, err)
	defer conn.Close()

	start := time.Now()
	_, err = conn.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, 1))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, time.Since(start), 2*delay)

	// Each of hundreds of pieces is held back, but all of them at the same time.
	data := make([]byte, 16<<20)
	for i := range data {
		data[i] = byte(i >> 8)
	}
	start = time.Now()
	go func() {
		_, _ = conn.Write(data)
		_ = conn.(*net.TCPConn).CloseWrite()
	}()
	got, err := io.ReadAll(conn)
	require.NoError(t, err)
	took := time.Since(start)
	assert.True(t, bytes.Equal(data, got))
	assert.GreaterOrEqual(t, took, 2*delay)
	assert.Less(t, took, time.Duration(len(data)/(32<<10))*delay/2)
}

func TestRelayEndsConnections(t *testing.T) {
	r, err := Start(echo(t))
	require.NoError(t, err)
	r.SetDelay(20 * time.Millisecond)
	conn, err := net.Dial("tcp", r.Addr)
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.Write([]byte("x"))
	require.NoError(t, err)
	_, err = io.ReadFull(conn, make([]byte, 1))
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, err = conn.Read(make([]byte, 1))
	assert.Error(t, err)
}
