//go:build unix

package multi_test

import (
	"context"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestAnswersOfAll asks workers that live, one that is busy, one that is stopped and one that has
// died.
func TestAnswersOfAll(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	for _, python := range pythons.All(t) {
		makeGateway(t, g, python.Spec()+"//execmodel=main_thread_only")
	}
	alive := g.Len()
	busy := g.At(0)
	ch, err := busy.RemoteExec(t.Context(), "channel.send(1); channel.receive()")
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	require.NoError(t, err)
	stopped := makeGateway(t, g, "")
	process, err := os.FindProcess(pid(t, stopped))
	require.NoError(t, err)
	require.NoError(t, process.Signal(syscall.SIGSTOP))
	dead := makeGateway(t, g, "")
	_, err = dead.RemoteExec(t.Context(), "import os; os._exit(3)")
	require.NoError(t, err)
	<-dead.Done()

	answers := g.RemoteStatus(within.Time(t, 5*time.Second))
	require.Len(t, answers, alive+2)
	for i, a := range answers {
		assert.Same(t, g.At(i), a.Gateway)
		if a.Gateway == stopped || a.Gateway == dead {
			continue
		}
		require.NoError(t, a.Err)
	}
	assert.Equal(t, 1, answers[0].Value.NumExecuting)
	assert.ErrorIs(t, answers[alive].Err, gatewaybase.ErrTimeout)
	var died *gatewaybase.GatewayDiedError
	assert.ErrorAs(t, answers[alive+1].Err, &died)

	memory := g.RemoteMemory(within.Time(t, 10*time.Second))
	require.Len(t, memory, alive+2)
	for _, a := range memory {
		switch a.Gateway {
		case busy:
			assert.ErrorContains(t, a.Err, "main_thread_only")
		case stopped, dead:
			assert.Error(t, a.Err)
		default:
			require.NoError(t, a.Err)
			assert.Greater(t, a.Value, int64(1<<20))
		}
	}

	require.NoError(t, ch.Send(t.Context(), nil))
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	infos := g.RInfo(ctx)
	require.Len(t, infos, alive+2)
	for i, python := range pythons.All(t) {
		require.NoError(t, infos[i].Err)
		assert.Equal(t, python.Minor, infos[i].Value.VersionInfo.Minor)
	}
	require.NoError(t, stopped.Kill())
}
