package worker

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

func TestCallsShareAChannel(t *testing.T) {
	register(t, "sharing", Funcs{"add": func(a, b int) int { return a + b }})
	s := startServing(t, config{})
	var calls sync.WaitGroup
	for i := range 100 {
		calls.Go(func() {
			got, err := gatewaybase.RemoteCall[int](within.Soon(t), s.driver, "sharing.add", i, 1)
			assert.NoError(t, err)
			assert.Equal(t, i+1, got)
		})
	}
	calls.Wait()
	ch, err := s.driver.NewChannel()
	require.NoError(t, err)
	assert.LessOrEqual(t, ch.ID(), 5, "a hundred calls have taken no channels of their own")
	assert.Contains(t, s.driver.String(), " 1 active channels", "that for calls is not counted")
}

func TestCallsAfterReconfigure(t *testing.T) {
	register(t, "reconfigured", Funcs{"kind": func(v any) string { return fmt.Sprintf("%T", v) }})
	s := startServing(t, config{})
	for _, test := range []struct {
		config gatewaybase.StrConfig
		want   string
	}{
		{gatewaybase.StrConfig{Py2StrAsPy3Str: true}, "string"},
		{gatewaybase.StrConfig{Py2StrAsPy3Str: true, Py3StrAsPy2Str: true}, "[]uint8"},
		{gatewaybase.StrConfig{Py2StrAsPy3Str: true}, "string"},
	} {
		require.NoError(t, s.driver.Reconfigure(within.Soon(t), test.config))
		got, err := s.driver.RemoteCall(within.Soon(t), "reconfigured.kind", "x")
		require.NoError(t, err)
		if b, ok := got.([]byte); ok { // the answer is received with the same configuration
			got = string(b)
		}
		assert.Equal(t, test.want, got)
	}
}

// TestFunctionsThatTakeTheirExecutionsChannel are called by executions, which have one.
func TestFunctionsThatTakeTheirExecutionsChannel(t *testing.T) {
	register(t, "channels", Funcs{
		"id":   func(ch *gatewaybase.Channel) int { return ch.ID() },
		"send": func(ctx context.Context, ch *gatewaybase.Channel, v any) error { return ch.Send(ctx, v) },
	})
	s := startServing(t, config{})
	ch, err := s.driver.NewChannel()
	require.NoError(t, err)
	_, err = s.driver.RemoteCall(within.Soon(t), "channels.send", ch, "item")
	require.NoError(t, err)
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "item", item)
	id, err := gatewaybase.RemoteCall[int](within.Soon(t), s.driver, "channels.id")
	require.NoError(t, err)
	assert.Greater(t, id, ch.ID())
}

func TestOneCallIsInterrupted(t *testing.T) {
	began, ended, end := make(chan bool), make(chan error, 1), make(chan bool)
	register(t, "interrupting", Funcs{
		"wait": func(ctx context.Context) error {
			began <- true
			<-ctx.Done()
			ended <- ctx.Err()
			return ctx.Err()
		},
		"other": func(ctx context.Context) error {
			began <- true
			<-end
			return ctx.Err()
		},
	})
	for _, model := range []string{"thread", "main_thread_only"} {
		t.Run(model, func(t *testing.T) {
			s := startServing(t, config{execModel: model})
			var other sync.WaitGroup
			if model == "thread" {
				other.Go(func() {
					_, err := s.driver.RemoteCall(within.Soon(t), "interrupting.other")
					assert.NoError(t, err)
				})
				<-began
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			go func() { <-began }()
			_, err := s.driver.RemoteCall(ctx, "interrupting.wait")
			assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
			select {
			case err := <-ended:
				assert.ErrorIs(t, err, context.Canceled)
			case <-within.Soon(t).Done():
				require.Fail(t, "the function's context does not end")
			}
			if model == "thread" {
				end <- true
			}
			other.Wait()
		})
	}
}

// TestAnswersThatCannotBeSent fail alone.
func TestAnswersThatCannotBeSent(t *testing.T) {
	register(t, "answers", Funcs{
		"chan":  func() any { return []any{1, make(chan int)} },
		"panic": func() any { return panics{} },
		"fine":  func() int { return 7 },
	})
	s := startServing(t, config{describeErrors: true})
	_, err := s.driver.RemoteCall(within.Soon(t), "answers.chan")
	var remote *gatewaybase.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, "execnet.gateway_base.DumpError", remote.Exception())
	assert.Contains(t, remote.Formatted, "[1]")
	_, err = s.driver.RemoteCall(within.Soon(t), "answers.panic")
	require.ErrorAs(t, err, &remote)
	assert.Contains(t, remote.Formatted, "while it is sent")
	_, err = gatewaybase.RemoteCall[string](within.Soon(t), s.driver, "answers.fine")
	var load *serializer.LoadError
	require.ErrorAs(t, err, &load, "a result of another type")
	n, err := gatewaybase.RemoteCall[int](within.Soon(t), s.driver, "answers.fine")
	require.NoError(t, err)
	assert.Equal(t, 7, n)
}

type panics struct{}

func (panics) MarshalExecnet() (any, error) { panic("while it is sent") }
