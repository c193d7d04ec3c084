package process

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// end kills a process and waits for it, failing the test if that takes long.
func end(tb testing.TB, p *Process) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(tb, p.Kill())
	require.NoError(tb, p.Wait(ctx))
	require.NoError(tb, p.CloseRead())
}
