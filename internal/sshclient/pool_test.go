package sshclient

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
)

// sideBySide starts n gateways at the same time and checks that each answers.
func sideBySide(t *testing.T, p *Pool, spec string, n int) []gatewaybase.IO {
	t.Helper()
	pipes := make([]gatewaybase.IO, n)
	errs := make([]error, n)
	parsed := parseSpec(t, spec)
	ctx := soon(t)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { pipes[i], errs[i] = startSpec(ctx, p, parsed) })
	}
	running.Wait()
	for i, pipe := range pipes {
		require.NoError(t, errs[i])
		t.Cleanup(func() { endPipe(t, pipe) })
	}
	for _, pipe := range pipes {
		requireAlive(t, pipe)
	}
	return pipes
}

func TestTwentyGatewaysToOneHost(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pool := testPool(t, Options{})
	pipes := sideBySide(t, pool, server.Spec(), 20)
	assert.Equal(t, 2, strings.Count(server.Log(), "Accepted publickey"), "ten gateways a connection")
	for _, pipe := range pipes {
		endPipe(t, pipe)
	}
	assert.Eventually(t, func() bool {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return len(pool.conns) == 0 && len(pool.sessions) == 0
	}, bound, 1e6, "no connection outlives its gateways")
}

func TestMaxSessions(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t, "MaxSessions 2")
	pool := testPool(t, Options{})
	pipes := sideBySide(t, pool, server.Spec(), 5)
	assert.GreaterOrEqual(t, strings.Count(server.Log(), "Accepted publickey"), 3)
	pool.mu.Lock()
	for _, limit := range pool.limits {
		assert.LessOrEqual(t, limit, 2)
	}
	pool.mu.Unlock()
	// A place that has become free is used again.
	logins := strings.Count(server.Log(), "Accepted publickey")
	endPipe(t, pipes[0])
	requireAlive(t, start(t, pool, server.Spec()))
	assert.LessOrEqual(t, strings.Count(server.Log(), "Accepted publickey"), logins+1)
}

func TestNoSessions(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t, "MaxSessions 0")
	err := startFails(t, testPool(t, Options{}), server.Spec())
	assert.ErrorContains(t, err, "refuses a session")
}

func TestSharingEndsWhereSettingsDiffer(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pool := testPool(t, Options{})
	first := start(t, pool, server.Spec())
	requireAlive(t, first)
	requireAlive(t, start(t, pool, "ssh=127.0.0.1 -p "+server.Port+" -i "+server.IdentityFile+" -o IdentitiesOnly=yes -o IdentityAgent=none -o UserKnownHostsFile="+
		server.KnownHostsFile+" -o GlobalKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes//ssh_config=none"))
	assert.Equal(t, 1, strings.Count(server.Log(), "Accepted publickey"), "another name for the same thing")
	requireAlive(t, start(t, pool, "ssh=-o Ciphers=aes256-ctr box//ssh_config="+server.ConfigFile))
	assert.Equal(t, 2, strings.Count(server.Log(), "Accepted publickey"))
	endPipe(t, first)
}

func TestPoolClose(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pool := testPool(t, Options{})
	pipes := sideBySide(t, pool, server.Spec(), 3)
	// One has ended by itself, and nobody has read what it wrote.
	unread := start(t, pool, server.Spec())
	execLine(t, unread, "import sys;sys.stdout.write('x')")
	require.NoError(t, unread.Wait(soon(t)))
	pool.Close()
	for _, pipe := range append(pipes, unread) {
		require.NoError(t, pipe.Wait(soon(t)))
		_, err := pipe.Read(make([]byte, 1))
		assert.Error(t, err)
	}
	assert.ErrorIs(t, startFails(t, pool, server.Spec()), ErrClosed)

	// Also while it still connects.
	pool = testPool(t, Options{})
	failed := make(chan error, 1)
	port := mute(t, "")
	go func() {
		_, err := startSpec(context.Background(), pool, parseSpec(t, "ssh=-p "+port+" 127.0.0.1//ssh_config=none"))
		failed <- err
	}()
	require.Eventually(t, func() bool {
		pool.mu.Lock()
		defer pool.mu.Unlock()
		return len(pool.conns) == 1
	}, bound, 1e6)
	pool.Close()
	assert.ErrorIs(t, <-failed, ErrClosed)
}

// One of several who wait for a connection may give up; the others get it.
func TestOneOfManyGivesUp(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	pool := testPool(t, Options{})
	ctx, cancel := context.WithCancelCause(context.Background())
	reason := errors.New("gave up")
	cancel(reason)
	var running sync.WaitGroup
	for i := range 6 {
		running.Go(func() {
			if i%2 == 0 {
				_, err := startSpec(ctx, pool, parseSpec(t, server.Spec()))
				assert.ErrorIs(t, err, reason)
				return
			}
			pipe, err := startSpec(soon(t), pool, parseSpec(t, server.Spec()))
			if assert.NoError(t, err) {
				requireAlive(t, pipe)
				endPipe(t, pipe)
			}
		})
	}
	running.Wait()
}

// A connection that dies under a waiting pool is replaced.
func TestReconnects(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	relay := sshdtest.NewRelay(t, server.Addr)
	pool := testPool(t, Options{})
	spec := "ssh=-p " + relay.Port + " -o HostKeyAlias=[127.0.0.1]:" + server.Port + " box//ssh_config=" + server.ConfigFile
	first := start(t, pool, spec)
	requireAlive(t, first)
	relay.Cut()
	requireAlive(t, start(t, pool, spec))
	assert.Equal(t, 2, relay.Accepted())
}
