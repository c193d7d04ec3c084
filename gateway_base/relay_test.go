package gatewaybase

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// behind is the executor of the worker behind a relay.
type behind struct{ running sync.WaitGroup }

func (b *behind) Execute(e *Execution) {
	b.running.Go(func() {
		if err := b.run(e); err != nil && !errors.Is(err, io.EOF) {
			e.End(err)
			return
		}
		e.End(nil)
	})
}

func (b *behind) run(e *Execution) error {
	ctx := context.Background()
	switch e.Source {
	case "relay: echo":
		for v, err := range e.Channel.Items(ctx) {
			if err != nil {
				return err
			}
			if err := e.Channel.Send(ctx, v); err != nil {
				return err
			}
		}
		return nil
	case "relay: channels":
		made, err := e.Channel.Gateway().newChannel()
		if err != nil {
			return err
		}
		if err := e.Channel.Send(ctx, made); err != nil {
			return err
		}
		given, err := Receive[*Channel](ctx, e.Channel)
		if err != nil {
			return err
		}
		v, err := made.Receive(ctx)
		if err != nil {
			return err
		}
		return given.Send(ctx, serializer.Tuple{v, made.ID()})
	}
	return errors.New("no such program: " + e.Source)
}

func (b *behind) Status() (int, string) { return 40, "thread" }

func (b *behind) Finish() { b.running.Wait() }

// relayed connects a driver with a worker that runs by a relay what begins with "relay:".
func relayed(t *testing.T) (driver *Gateway, relays func() *Relay) {
	t.Helper()
	a, b := pipes.Pair(t)
	var mu sync.Mutex
	var relay *Relay
	var backs []*Gateway
	driver = New(a, Config{Spec: spec(t, "popen//id=driver"), Warnings: &textbuffer.Buffer{}})
	worker := New(b, Config{Spec: spec(t, "popen//id=worker"), Executor: runner{}, Warnings: &textbuffer.Buffer{}, Route: func(g *Gateway, p Program) Route {
		if !strings.HasPrefix(p.Source, "relay:") {
			return Route{}
		}
		mu.Lock()
		defer mu.Unlock()
		if relay != nil {
			select {
			case <-relay.Done():
			default:
				return Route{Relay: relay}
			}
		}
		var err error
		relay, err = NewRelay(g, func(first int) IO {
			near, far := pipes.Pair(t)
			back := New(far, Config{Spec: spec(t, "popen//id=behind"), Executor: &behind{}, Warnings: &textbuffer.Buffer{}})
			back.table.next = int32(first)
			backs = append(backs, back)
			return near
		}, nil)
		require.NoError(t, err)
		return Route{Relay: relay}
	}})
	t.Cleanup(func() {
		driver.Exit()
		worker.Exit()
		require.NoError(t, driver.Join(within.Soon(t)))
		mu.Lock()
		defer mu.Unlock()
		if relay != nil {
			relay.Exit()
			<-relay.Done()
		}
		require.NoError(t, worker.Join(within.Soon(t)))
		for _, back := range backs {
			require.NoError(t, back.Join(within.Soon(t)))
		}
	})
	return driver, func() *Relay {
		mu.Lock()
		defer mu.Unlock()
		return relay
	}
}

func TestRelay(t *testing.T) {
	t.Parallel()
	driver, _ := relayed(t)
	ch, err := driver.RemoteExec(t.Context(), "relay: echo")
	require.NoError(t, err)
	for _, v := range []any{int64(1), "é", bytes.Repeat([]byte("x"), 5<<20), nil} {
		require.NoError(t, ch.Send(t.Context(), v))
		got, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		assert.Equal(t, v, got)
	}
	require.NoError(t, ch.CloseSend())
	require.NoError(t, ch.WaitClose(within.Soon(t)))

	ch, err = driver.RemoteExec(t.Context(), "describe")
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	require.NoError(t, err, "this end's own executions go on")

	ch, err = driver.RemoteExec(t.Context(), "relay: nothing")
	require.NoError(t, err)
	var remote *RemoteError
	require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &remote)
	assert.Equal(t, "no such program: relay: nothing", remote.Formatted)
}

func TestRelayChannels(t *testing.T) {
	t.Parallel()
	driver, _ := relayed(t)
	ch, err := driver.RemoteExec(t.Context(), "relay: channels")
	require.NoError(t, err)
	made, err := Receive[*Channel](within.Soon(t), ch)
	require.NoError(t, err)
	assert.Equal(t, relayIDs, made.ID())
	given, err := driver.newChannel()
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), given))
	require.NoError(t, made.Send(t.Context(), "over the relay's channel"))
	v, err := given.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, serializer.Tuple{"over the relay's channel", int64(relayIDs)}, v)
	require.NoError(t, ch.WaitClose(within.Soon(t)))
}

func TestRelayStatus(t *testing.T) {
	t.Parallel()
	driver, _ := relayed(t)
	status, err := driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, 3, status.NumExecuting)
	ch, err := driver.RemoteExec(t.Context(), "relay: echo")
	require.NoError(t, err)
	status, err = driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, 43, status.NumExecuting)
	assert.Equal(t, "main_thread_only", status.ExecModel)
	require.NoError(t, ch.Close())
}

func TestRelayDies(t *testing.T) {
	t.Parallel()
	driver, relay := relayed(t)
	ch, err := driver.RemoteExec(t.Context(), "relay: channels")
	require.NoError(t, err)
	made, err := Receive[*Channel](within.Soon(t), ch)
	require.NoError(t, err)
	relay().io.CloseRead()
	var remote *RemoteError
	require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &remote)
	assert.Contains(t, remote.Formatted, "died")
	require.ErrorAs(t, made.WaitClose(within.Soon(t)), &remote)

	<-relay().Done()
	ch, err = driver.RemoteExec(t.Context(), "relay: channels")
	require.NoError(t, err)
	again, err := Receive[*Channel](within.Soon(t), ch)
	require.NoError(t, err)
	assert.Equal(t, relayIDs+2, again.ID(), "not the id of a channel that the driver may still hold")
	require.NoError(t, ch.Close())
}
