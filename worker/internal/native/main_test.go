package native

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/server"
	"github.com/go-execnet/execnet/xspec"
)

// The test program is a worker as well, when it is started as an interpreter would be, or with the
// word.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" || len(os.Args) > 2 && os.Args[len(os.Args)-2] == "-c" {
		os.Exit(beWorker())
	}
	goleak.VerifyTestMain(m)
}

func beWorker() int {
	in := bufio.NewReader(os.Stdin)
	request, err := bootstrap.Accept(in)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := os.Stdout.Write(request.Answer); err != nil {
		return 1
	}
	from := io.MultiReader(bytes.NewReader(request.Ahead), in)
	gw := newWorker(pipes.Of(from, os.Stdin, os.Stdout), os.Stderr)
	_ = gw.Join(context.Background()) // whose end nothing comes before
	return 0
}

// runner serves what Find knows and a program of its own: one that never ends by itself.
type runner struct {
	natives Natives
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup
}

// terminated is how long executions go on after their driver has: a worker of this module waits
// longer.
const terminated = 500 * time.Millisecond

func newWorker(pipe gatewaybase.IO, stderr io.Writer) *gatewaybase.Gateway {
	program, err := os.Executable()
	if err != nil {
		panic(err)
	}
	r := &runner{natives: Natives{Worker: server.Command{Args: []string{program, "worker"}, Stderr: stderr}}}
	r.ctx, r.end = context.WithCancel(context.Background())
	return gatewaybase.New(pipe, gatewaybase.Config{Spec: &xspec.Spec{ID: "tested-worker"}, Executor: r, Warnings: io.Discard})
}

func (r *runner) Execute(e *gatewaybase.Execution) {
	r.running.Go(func() {
		serve, ok := r.natives.Find(e.Program)
		if !ok {
			e.End(errors.New("no such program"))
			return
		}
		if err := serve(r.ctx, e.Channel, e.Program); err != nil && !errors.Is(err, io.EOF) {
			e.End(err)
			return
		}
		e.End(nil)
	})
}

func (r *runner) Status() (int, string) { return 0, "thread" }

func (r *runner) Finish() {
	timer := time.AfterFunc(terminated, r.end)
	defer timer.Stop()
	r.running.Wait()
	r.end()
}

// connect makes a driver's gateway to a worker in this process. end is called at the test's end; it
// may be earlier.
func connect(t *testing.T) (driver *gatewaybase.Gateway, end func()) {
	t.Helper()
	a, b := pipes.Pair(t)
	worker := newWorker(b, nil)
	driver = gatewaybase.New(a, gatewaybase.Config{Spec: parse(t, "popen//id=tested"), Warnings: io.Discard})
	end = sync.OnceFunc(func() {
		driver.Exit()
		require.NoError(t, worker.Join(within.Soon(t)))
		require.NoError(t, driver.Join(within.Soon(t)))
	})
	t.Cleanup(end)
	return driver, end
}

func parse(t *testing.T, text string) *xspec.Spec {
	t.Helper()
	spec, err := xspec.Parse(text)
	require.NoError(t, err)
	return spec
}
