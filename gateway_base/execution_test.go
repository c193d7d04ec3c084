package gatewaybase

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// runner executes what its sources name.
type runner struct{}

func (runner) Execute(e *Execution) {
	var err error
	function, args, kwargs, isCall := e.RemoteCall()
	switch e.Source {
	case remoteCallSource:
		if isCall {
			err = e.Channel.Send(context.Background(), serializer.Tuple{function, serializer.Tuple(args), kwargs})
		}
	case "close":
		err = e.Channel.Close()
	case "describe":
		err = e.Channel.Send(context.Background(), serializer.Tuple{e.File, e.Call, e.Kwargs})
	case "end":
	default:
		e.End(errors.New("no such program: " + e.Source))
		return
	}
	if err != nil {
		e.End(err)
		return
	}
	e.End(nil)
}

func (runner) Status() (int, string) { return 3, "main_thread_only" }

func (runner) Finish() {}

func TestExecutionEnds(t *testing.T) {
	driver, worker, _ := pair(t)
	ch, err := driver.RemoteExec(t.Context(), "end")
	require.NoError(t, err)
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	assert.True(t, ch.IsClosed())

	ch, err = driver.RemoteExec(t.Context(), "nonsense")
	require.NoError(t, err)
	assert.EqualError(t, ch.WaitClose(within.Soon(t)), "no such program: nonsense")
	assert.Zero(t, worker.table.open())
}

func TestExecutionKeepsItsChannelOpen(t *testing.T) {
	driver, _, _ := pair(t)
	ch, err := driver.RemoteExec(t.Context(), "close")
	require.NoError(t, err)
	assert.EqualError(t, ch.WaitClose(within.Soon(t)), ErrExecuting.Error())
}

func TestExecutionIsTold(t *testing.T) {
	driver, _, _ := pair(t)
	ch, err := driver.RemoteExec(t.Context(), "describe", File("some.py", 1), Call("describe", map[string]any{"n": 5}))
	require.NoError(t, err)
	got, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, serializer.Tuple{"some.py", "describe", serializer.NewDict("n", int64(5))}, got)
}

func TestExecutionStatus(t *testing.T) {
	driver, worker, _ := pair(t)
	status, err := driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, RemoteStatus{NumExecuting: 3, ExecModel: "main_thread_only"}, status)
	assert.Equal(t, "main_thread_only", worker.ExecModel())
	assert.Equal(t, "thread", driver.ExecModel())
}

func TestBadProgramsEndTheGateway(t *testing.T) {
	none := serializer.NewDict()
	for name, payload := range map[string]any{
		"no tuple":         "pass",
		"too short":        serializer.Tuple{"pass", nil, nil},
		"no source":        serializer.Tuple{nil, nil, nil, none},
		"no file name":     serializer.Tuple{"pass", int64(1), nil, none},
		"no kwargs":        serializer.Tuple{"pass", nil, nil, nil},
		"kwargs by number": serializer.Tuple{"pass", nil, nil, serializer.NewDict(int64(1), int64(2))},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := pipes.Pair(t)
			gw := New(a, Config{Spec: spec(t, "popen//id=worker"), Executor: runner{}, Warnings: &textbuffer.Buffer{}})
			var codec serializer.Codec
			dumped, err := codec.Append(nil, payload)
			require.NoError(t, err)
			_, err = b.Write(frameBytes(t, codeExec, 1, dumped))
			require.NoError(t, err)
			require.NoError(t, gw.Join(within.Soon(t)))
			assert.ErrorContains(t, gw.Err(), "CHANNEL_EXEC")
		})
	}
}
