//go:build unix

package compat_tests

import (
	"bytes"
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// everyRoad returns a route for each road to a worker, of Python and of Go, and to a CPython behind
// one of Go. The gateway to that worker is sub.
func everyRoad(t *testing.T) map[string]route {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	server := sshdtest.Start(t)
	all := pythons.All(t)
	oldest, newest := all[0], all[len(all)-1]
	pip, old := pythons.WithExecnet(t), installed(t, newest)
	routes := map[string]route{}
	for name, specs := range map[string]string{
		"popen":              newest.Spec(),
		"oldest":             oldest.Spec(),
		"main_thread_only":   newest.Spec() + "//execmodel=main_thread_only",
		"gevent":             "popen//python=" + pip + "//execmodel=gevent",
		"eventlet":           "popen//python=" + pip + "//execmodel=eventlet//env:PYTHONWARNINGS=ignore",
		"ssh":                server.Spec() + "//python=" + newest.Path,
		"ssh command":        server.Spec() + "//python=" + newest.Path + "//sshclient=openssh",
		"via":                newest.Spec() + "//id=host\npopen//via=host",
		"via oldest":         oldest.Spec() + "//id=host\npopen//via=host",
		"via pip":            "popen//bootstrap=import//id=host//python=" + pip + "\npopen//via=host//python=" + newest.Path,
		"via Go":             "popen//self//id=host\n" + newest.Spec() + "//via=host",
		"socket":             "socket=ADDRESS",
		"socket of Go":       "socket=" + net.JoinHostPort("127.0.0.1", serve(t, newest.Path, "socketserver", "127.0.0.1:0")),
		"via socket":         newest.Spec() + "//id=host\nsocket=ADDRESS//via=host",
		"Go":                 "popen//self",
		"Go by ssh":          server.Spec() + "//python=" + self + "//env:EXECNET_ENGINE=gpython",
		"behind Go":          behind(newest),
		"behind Go, oldest":  behind(oldest),
		"behind Go, via":     newest.Spec() + "//id=host\npopen//via=host//python=" + self + hasBehind(newest.Path),
		"installed at Go":    "popen//self//id=host\nsocket//installvia=host",
		"behind Go by ssh":   server.Spec() + "//python=" + self + hasBehind(newest.Path),
		"import (no stdout)": "popen//bootstrap=import//python=" + pip,
	} {
		r := route{name: name, specs: strings.Split(specs, "\n")}
		if last := &r.specs[len(r.specs)-1]; !strings.Contains(*last, "id=") {
			*last += "//id=sub"
		}
		if strings.Contains(specs, "ADDRESS") {
			r.socketServer = &old
		}
		routes[name] = r
	}
	return routes
}

// ofGo reports whether the road leads to a worker that has no CPython.
func (r route) ofGo() bool {
	return r.name == "Go" || r.name == "Go by ssh" || r.name == "installed at Go"
}

// TestCallsByEveryRoad calls, iterates, keeps an object and interrupts, with a module of this end.
func TestCallsByEveryRoad(t *testing.T) {
	independent(t)
	module := fstest.MapFS{"road.py": {Data: []byte(`
import array, decimal, time

closed = []

class Counter(object):
    alive = 0
    def __init__(self, start=0):
        Counter.alive += 1
        self.n = start
    def __del__(self):
        Counter.alive -= 1
    def add(self, n=1):
        self.n += n
        return self.n
    def upto(self):
        return iter(range(self.n))

def alive():
    return Counter.alive

def count(n):
    try:
        for i in range(n):
            yield i
    finally:
        closed.append(n)

def plain():
    return {"price": decimal.Decimal("1.50"), "bytes": bytearray(b"a"), "array": array.array("B", [1, 2])}

def wait():
    while True:
        time.sleep(0.01)

def fail():
    return {}["missing"]

def echo(x):
    return bytearray(x)
`)}}
	for name, r := range everyRoad(t) {
		if strings.Contains(name, "import") {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw, ctx := r.open(t), within.Soon(t)
			if r.ofGo() {
				sums, err := execnet.RemoteCall[[]float64](ctx, gw, "arrays.row_sums", [][]float64{{1, 2}, {3}})
				require.NoError(t, err)
				assert.Equal(t, []float64{3, 3}, sums)
				sums, err = collect[float64](ctx, gw, "arrays.row_sums", [][]float64{{1, 2}, {3}})
				require.NoError(t, err)
				assert.Equal(t, []float64{3, 3}, sums)
				_, err = execnet.New(ctx, gw, "arrays.row_sums", [][]float64{})
				require.ErrorContains(t, err, "keeps no objects")
				return
			}
			require.NoError(t, execnet.ImportFS(ctx, gw, module))
			plain, err := execnet.RemoteCall[struct {
				Price string `execnet:"price"`
				Bytes []byte `execnet:"bytes"`
				Array []byte `execnet:"array"`
			}](ctx, gw, "road.plain")
			require.NoError(t, err)
			assert.Equal(t, "1.50", plain.Price)
			assert.Equal(t, "a\x01\x02", string(plain.Bytes)+string(plain.Array))
			large := bytes.Repeat([]byte("x"), 3<<20)
			back, err := execnet.RemoteCall[[]byte](ctx, gw, "road.echo", large)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(large, back))
			_, err = gw.RemoteCall(ctx, "road.fail")
			require.ErrorIs(t, err, execnet.Exception("LookupError"))
			assert.ErrorContains(t, err, `File "<driver>/road.py"`)

			items, err := collect[int](ctx, gw, "road.count", 3000)
			require.NoError(t, err)
			assert.Len(t, items, 3000)
			for item, err := range execnet.RemoteIter[int](ctx, gw, "road.count", 100000) {
				require.NoError(t, err)
				if item == 10 {
					break
				}
			}
			counter, err := execnet.New(ctx, gw, "road.Counter", execnet.Kwargs{"start": 5})
			require.NoError(t, err)
			n, err := execnet.CallMethod[int](ctx, counter, "add", 2)
			require.NoError(t, err)
			assert.Equal(t, 7, n)
			n = 0
			for _, err := range execnet.IterMethod[int](ctx, counter, "upto") {
				require.NoError(t, err)
				n++
			}
			assert.Equal(t, 7, n)
			require.NoError(t, counter.Close())
			for n = 1; n > 0; {
				n, err = execnet.RemoteCall[int](ctx, gw, "road.alive")
				require.NoError(t, err)
			}
			awaitExecuting(t, gw, 0)
			if name == "gevent" || name == "eventlet" {
				return // there the function would keep everything else from running
			}
			calling, cancel := context.WithCancel(ctx)
			called := make(chan error, 1)
			go func() {
				_, err := gw.RemoteCall(calling, "road.wait")
				called <- err
			}()
			awaitExecuting(t, gw, 1)
			cancel()
			require.ErrorIs(t, <-called, context.Canceled)
			awaitExecuting(t, gw, 0)
			waiting := remoteExec(t, gw, "channel.send(1); channel.receive()")
			receive(t, waiting)
			require.NoError(t, waiting.Interrupt(ctx))
			assert.EqualError(t, waiting.WaitClose(ctx), "keyboard-interrupted")
			awaitExecuting(t, gw, 0)
		})
	}
}
