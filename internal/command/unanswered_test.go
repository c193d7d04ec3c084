package command

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/xspec"
)

func TestUnanswered(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var u unanswered
	assert.Empty(t, u.text())
	ask := func(ctx context.Context, id, text string, err error) {
		spec, failed := xspec.Parse(text)
		require.NoError(t, failed)
		spec.ID = id
		u.specs = append(u.specs, spec)
		_, got := u.making(func(context.Context, *xspec.Spec) (*gatewaybase.Gateway, error) { return nil, err })(ctx, spec)
		assert.Equal(t, err, got)
	}
	ask(ctx, "gw0", "popen", nil)
	ask(ctx, "gw1", "popen", errors.New("no such program"))
	assert.Empty(t, u.text())
	cancel()
	ask(ctx, "gw2", "popen", nil)
	assert.Empty(t, u.text())
	ask(ctx, "gw3", "ssh=host", ctx.Err())
	ask(ctx, "gw4", "popen//python=srun python3", ctx.Err())
	assert.Equal(t, "; no answer from gw3 (ssh=host), gw4 (popen//python=srun python3); does the launcher hold lines back? srun needs -u", u.text())
	for i := range 5 {
		ask(ctx, fmt.Sprint("gw", 5+i), "ssh=host", ctx.Err())
	}
	assert.Contains(t, u.text(), "gw7 (ssh=host), 2 more; does")
}
