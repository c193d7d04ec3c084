//go:build unix

package pool_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/pool"
	"github.com/go-execnet/execnet/worker"

	_ "github.com/go-execnet/execnet/cpython"
)

func TestMain(m *testing.M) {
	worker.Register("gotasks", worker.Funcs{
		"double": func(n int) int { return 2 * n },
		"leave":  func(status int) { os.Exit(status) },
	})
	worker.ServeIfWorker()
	goleak.VerifyTestMain(m)
}

// tasks is the module tasks of the workers.
const tasks = `
import os, signal, sys, time, types
module = types.ModuleType("tasks")
exec('''
import os, signal, sys, time
count = 0
def double(x):
    return x * 2
def add(x, y, z=0):
    return x + y + z
def pid():
    return os.getpid()
def counted():
    global count
    count += 1
    return count
def fail(text):
    raise ValueError(text)
def leave(status):
    sys.stderr.write("leaving now\\\\n")
    sys.stderr.flush()
    os._exit(status)
def die(number):
    os.kill(os.getpid(), number)
    time.sleep(100)
def once(path, then, *args):
    # Does then for the first time, and returns for the second.
    if not os.path.exists(path):
        open(path, "w").close()
        then(*args)
    return "done"
def leave_once(path):
    return once(path, leave, 3)
def hang_once(path):
    return once(path, hang)
def hang():
    # Ignores what can be ignored, and holds the global lock.
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGHUP:
        try:
            signal.signal(number, signal.SIG_IGN)
        except ValueError:
            pass
    import re
    re.match("(a+)+b", "a" * 64)
def note(path, n, what):
    # Notes that it has begun, and does what is said.
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(fd, ("%d\\n" % n).encode())
    os.close(fd)
    if what == "leave":
        os._exit(3)
    if what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if what == "hang":
        hang()
    while what == "loop" or what == "wait" and not os.path.exists(path + ".go"):
        pass
    return n
def counted_from(n):
    return n + counted()
def sleep(seconds):
    time.sleep(seconds)
    return seconds
def grow(megabytes):
    global held
    held = b"x" * (megabytes << 20)
    return os.getpid()
''', module.__dict__)
sys.modules["tasks"] = module
`

// prepare gives a worker the module tasks.
func prepare(ctx context.Context, gw *execnet.Gateway) error {
	ch, err := gw.RemoteExec(ctx, tasks)
	if err != nil {
		return err
	}
	return ch.WaitClose(ctx)
}

// newPool returns a pool whose workers have the module tasks, and what it logs.
func newPool(t *testing.T, options pool.Options) (*pool.Pool, *textbuffer.Buffer) {
	t.Helper()
	l := &textbuffer.Buffer{}
	options.Logger = slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if options.Specs == nil {
		options.Specs = []string{"2*" + pythons.Default(t).Spec()}
	}
	if options.Init == nil {
		options.Init = prepare
	}
	p, err := pool.New(t.Context(), options)
	require.NoError(t, err)
	t.Cleanup(func() { _ = p.Close(within.Time(t, 20*time.Second)) })
	return p, l
}
