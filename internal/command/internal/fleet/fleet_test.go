package fleet_test

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func parse(t *testing.T, texts ...string) []*xspec.Spec {
	t.Helper()
	var specs []*xspec.Spec
	for _, text := range texts {
		spec, err := xspec.Parse(text)
		require.NoError(t, err)
		specs = append(specs, spec)
	}
	return specs
}

// starts records what a fake group does.
type starts struct {
	mu    sync.Mutex
	diary []string
}

func (s *starts) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.diary = append(s.diary, what)
}

func TestStartWaitsForVia(t *testing.T) {
	var s starts
	begun := make(chan struct{})
	members := fleet.Start(t.Context(), func(_ context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
		switch s.note("begin " + spec.ID); spec.ID {
		case "free":
			close(begun)
		case "host":
			<-begun // side by side with what does not depend on it
		}
		s.note("end " + spec.ID)
		return nil, nil
	}, parse(t, "popen//id=host", "popen//id=guest//via=host", "socket//installvia=guest//id=third", "popen//id=free", "popen//id=lost//via=nobody"), true)
	require.Len(t, members, 5)
	for i, id := range []string{"host", "guest", "third", "free", "lost"} {
		assert.Equal(t, id, members[i].Spec.ID)
		assert.NoError(t, members[i].Err)
	}
	at := func(what string) int { return slices.Index(s.diary, what) }
	assert.Less(t, at("end host"), at("begin guest"))
	assert.Less(t, at("end guest"), at("begin third"))
}

func TestStartTogether(t *testing.T) {
	wrong := errors.New("wrong")
	start := func(ctx context.Context, together bool) []fleet.Member {
		return fleet.Start(ctx, func(ctx context.Context, spec *xspec.Spec) (*gatewaybase.Gateway, error) {
			if spec.ID == "bad" {
				return nil, wrong
			}
			if together {
				<-ctx.Done()
				return nil, context.Cause(ctx)
			}
			return nil, nil
		}, parse(t, "popen//id=good", "popen//id=bad", "popen//id=after//via=bad"), together)
	}
	members := start(t.Context(), true)
	assert.ErrorIs(t, members[0].Err, fleet.ErrOtherFailed)
	assert.ErrorIs(t, members[1].Err, wrong)
	assert.ErrorIs(t, members[2].Err, fleet.ErrOtherFailed)

	members = start(t.Context(), false)
	assert.NoError(t, members[0].Err)
	assert.ErrorIs(t, members[1].Err, wrong)
	assert.NoError(t, members[2].Err)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, start(ctx, false)[0].Err, context.Canceled)
}

func TestRunAndEnd(t *testing.T) {
	var stderr bytes.Buffer
	group := &multi.Group{Stderr: &stderr}
	python := pythons.Default(t).Spec()
	members := fleet.Start(t.Context(), group.MakeGatewaySpec, parse(t, python+"//id=a", python+"//id=b"), true)
	for _, m := range members {
		require.NoError(t, m.Err)
	}
	var mu sync.Mutex
	items, failures := map[string][]any{}, map[string]error{}
	item := func(id string, v any) {
		mu.Lock()
		defer mu.Unlock()
		items[id] = append(items[id], v)
	}
	failed := func(id string, err error) {
		mu.Lock()
		defer mu.Unlock()
		failures[id] = err
	}

	fleet.Run(t.Context(), members, fleet.Task{Source: `
		channel.send(channel.receive() * 2)
		if channel.gateway.id.startswith("b"):
		    1/0
	`, Send: []any{21}}, item, failed)
	assert.Equal(t, map[string][]any{"a": {int64(42)}, "b": {int64(42)}}, items)
	require.Len(t, failures, 1)
	assert.ErrorContains(t, failures["b"], "ZeroDivisionError")

	// The end of ctx is nobody's failure.
	clear(failures)
	ctx, cancel := context.WithCancel(t.Context())
	fleet.Run(ctx, members, fleet.Task{Source: "channel.send(0)\nchannel.receive()"}, func(string, any) { cancel() }, failed)
	assert.Empty(t, failures)

	// Items that wait already do not keep it going.
	count := 0
	ctx, cancel = context.WithCancel(t.Context())
	fleet.Run(ctx, members[:1], fleet.Task{Source: "for i in range(100): channel.send(i)"}, func(string, any) { count++; cancel() }, failed)
	assert.Equal(t, 1, count)
	assert.Empty(t, failures)

	require.NoError(t, fleet.End(t.Context(), nil, group))
	assert.Zero(t, group.Len())
	assert.Empty(t, stderr.String())
}

// A worker whose source does not end is killed after InterruptedEndTime, or at once.
func TestEndStubborn(t *testing.T) {
	fastest := fleet.EndTime // in a hurry; a busy machine may be slow once
	for _, hurry := range []bool{false, true, true, true} {
		group := multi.NewGroup()
		members := fleet.Start(t.Context(), group.MakeGatewaySpec, parse(t, pythons.Default(t).Spec()), true)
		require.NoError(t, members[0].Err)
		ctx, cancel := context.WithCancel(t.Context())
		fleet.Run(ctx, members, fleet.Task{Source: `
			channel.send(0)
			while True:
			    try:
			        import time; time.sleep(100)
			    except BaseException:
			        pass
		`}, func(string, any) { cancel() }, nil)
		atOnce := make(chan struct{})
		if hurry {
			close(atOnce)
		}
		began := time.Now()
		require.NoError(t, fleet.End(ctx, atOnce, group))
		took := time.Since(began)
		assert.Less(t, took, fleet.EndTime)
		if hurry {
			fastest = min(fastest, took)
		} else {
			assert.GreaterOrEqual(t, took, fleet.InterruptedEndTime)
		}
		assert.True(t, members[0].Gateway.ExitStatus().Known)
	}
	assert.Less(t, fastest, fleet.InterruptedEndTime)
}
