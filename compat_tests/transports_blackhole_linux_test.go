package compat_tests

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
)

// unanswering is an address that answers no attempt to connect: its listener's queue is full, and
// Linux drops further attempts.
func unanswering(t *testing.T) string {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, syscall.Close(fd)) })
	require.NoError(t, syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	require.NoError(t, syscall.Listen(fd, 0))
	name, err := syscall.Getsockname(fd)
	require.NoError(t, err)
	address := fmt.Sprintf("127.0.0.1:%d", name.(*syscall.SockaddrInet4).Port)
	for range 10 {
		conn, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { conn.Close() })
	}
	t.Fatal("the queue takes any number of connections")
	return ""
}

// TestHostsThatDoNotAnswer connects to a host that does not answer at all.
func TestHostsThatDoNotAnswer(t *testing.T) {
	independent(t)
	address := unanswering(t)
	_, port, _ := net.SplitHostPort(address)
	group := newGroup(t, testLog{t})
	spec := "ssh=-o ConnectTimeout=1 -p " + port + " 127.0.0.1//ssh_config=none"
	for _, extra := range []string{"", "//sshclient=openssh"} {
		requireErrors[*execnet.HostNotFoundError](t, failsBothWays(t, group, spec+extra), "time")
	}
	for _, spec := range []string{spec, "socket=" + address} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		began := time.Now()
		_, err := group.MakeGateway(ctx, spec)
		cancel()
		assert.ErrorIs(t, err, context.DeadlineExceeded, spec)
		assert.Less(t, time.Since(began), 20*time.Second)
	}
}
