package gpython

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/gpython/internal/pyvalue"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/xspec"
)

func TestMain(m *testing.M) {
	// What just fits has to fit into the machine, with what the race detector takes.
	pyvalue.MostBytes = 256 << 20
	goleak.VerifyTestMain(m)
}

// executor runs each program in a goroutine of its own, as a worker does.
type executor struct {
	ctx     context.Context
	modules engine.Modules
	running sync.WaitGroup
}

func (e *executor) Execute(x *gatewaybase.Execution) {
	e.running.Go(func() {
		err := gpythonEngine{}.Execute(e.ctx, x.Channel, x.Program, e.modules)
		switch {
		case err == nil || errors.Is(err, io.EOF):
			x.End(nil)
		case errors.Is(err, engine.ErrInterrupted):
			x.End(engine.ErrInterrupted)
		default:
			x.End(err)
		}
	})
}

func (e *executor) Status() (int, string) { return 0, "thread" }

func (e *executor) Finish() { e.running.Wait() }

// worker is a driver's gateway whose far end executes with the engine, in this process.
type worker struct {
	*gatewaybase.Gateway
	interrupt context.CancelFunc
}

func newWorker(t testing.TB, modules engine.Modules) worker {
	t.Helper()
	a, b := pipes.Pair(t)
	spec := func(text string) *xspec.Spec {
		s, err := xspec.Parse(text)
		require.NoError(t, err)
		return s
	}
	ctx, cancel := context.WithCancel(context.Background())
	ex := &executor{ctx: ctx, modules: modules}
	driver := gatewaybase.New(a, gatewaybase.Config{Spec: spec("popen//id=gw0"), Warnings: io.Discard})
	far := gatewaybase.New(b, gatewaybase.Config{Spec: spec("popen//id=gw0-worker"), Executor: ex, Warnings: io.Discard})
	t.Cleanup(func() {
		cancel()
		driver.Exit()
		far.Exit()
		end, stop := context.WithTimeout(context.Background(), 20*time.Second)
		defer stop()
		require.NoError(t, driver.Join(end))
		require.NoError(t, far.Join(end))
	})
	return worker{driver, cancel}
}

// exec starts a program.
func (w worker) exec(t testing.TB, source string, options ...gatewaybase.ExecOption) *gatewaybase.Channel {
	t.Helper()
	ch, err := w.RemoteExec(t.Context(), source, options...)
	require.NoError(t, err)
	return ch
}

// receive gives the next item.
func receive(t testing.TB, ch *gatewaybase.Channel) any {
	t.Helper()
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	return v
}

// run executes a program to its end, and gives all that it sent.
func (w worker) run(t testing.TB, source string, options ...gatewaybase.ExecOption) []any {
	t.Helper()
	var items []any
	for v, err := range w.exec(t, source, options...).Items(within.Soon(t)) {
		require.NoError(t, err)
		items = append(items, v)
	}
	return items
}

// fails executes a program that ends with an error.
func (w worker) fails(t testing.TB, source string, options ...gatewaybase.ExecOption) *gatewaybase.RemoteError {
	t.Helper()
	ch := w.exec(t, source, options...)
	var err error
	for _, err = range ch.Items(within.Soon(t)) {
	}
	var remote *gatewaybase.RemoteError
	require.ErrorAs(t, err, &remote)
	return remote
}

func program(source string) gatewaybase.Program {
	return gatewaybase.Program{Source: source, Kwargs: serializer.NewDict()}
}
