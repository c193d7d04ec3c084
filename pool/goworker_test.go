//go:build unix

package pool_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/pool"
)

func nothing(context.Context, *execnet.Gateway) error { return nil }

func TestGoWorkers(t *testing.T) {
	p, _ := newPool(t, pool.Options{Specs: []string{"2*popen//self"}, Init: nothing})
	next := 0
	for result, err := range pool.Map[int](within.Soon(t), p, "gotasks.double", numbers(100)) {
		require.NoError(t, err)
		require.Equal(t, 2*next, result.Value)
		next++
	}
	_, err := pool.Call[any](within.Soon(t), p, "gotasks.leave", 7)
	var died *execnet.GatewayDiedError
	require.ErrorAs(t, err, &died)
	assert.Equal(t, 7, died.Exit.Code)
}

// If the CPython behind a Go worker dies, the job goes to another one; the Go worker stays.
func TestCPythonBehindAGoWorker(t *testing.T) {
	t.Setenv("EXECNET_ENGINE", "cpython")
	p, _ := newPool(t, pool.Options{Specs: []string{"popen//self"}, Retries: 1})
	pid, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	mark := filepath.Join(t.TempDir(), "mark")
	err = p.Do(within.Soon(t), func(ctx context.Context, gw *execnet.Gateway) error {
		if err := prepare(ctx, gw); err != nil { // for the second CPython
			return err
		}
		_, err := execnet.RemoteCall[string](ctx, gw, "tasks.leave_once", mark)
		return err
	})
	require.NoError(t, err)
	another, err := pool.Call[int](within.Soon(t), p, "tasks.pid")
	require.NoError(t, err)
	assert.NotEqual(t, pid, another)
	assert.EqualValues(t, 1, p.Stats().Started)
	assert.EqualValues(t, 1, p.Stats().Retried)
}
