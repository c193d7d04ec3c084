package compat_tests

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// callee is a module with functions to call.
const callee = `
import sys, threading, types
callee = types.ModuleType("callee")
callee.__dict__.update(sys=sys, threading=threading, sleep=channel.gateway.execmodel.sleep)
exec('''
present, begun = [], []

def meet(n, me):
    present.append(me)
    while len(present) < n:
        sleep(0.001)
    return me

def in_main():
    return type(threading.current_thread()).__name__ == "_MainThread"

def loop(me):
    begun.append(me)
    try:
        while True:
            sleep(0.001)
    finally:
        begun.remove(me)

def sleep_long(me):
    """In other threads the main thread's way to interrupt what waits does not exist."""
    if not in_main():
        loop(me)
    begun.append(me)
    try:
        sleep(1000)
    finally:
        begun.remove(me)

def short():
    sleep(0.001)

def add(a, b):
    for i in range(10):
        a += 0
    return a + b

def is_begun(me):
    return me in begun

def leaf():
    return {"rows": [{"kind": object()}]}

def channels(channel, n):
    channel.send(n)
    return [channel, n]

class Outer(object):
    class Inner(object):
        @staticmethod
        def method(x, *args, **kwargs):
            return [x, args, kwargs]
''', callee.__dict__)
sys.modules["callee"] = callee
`

// withCallee is a gateway to a worker that has the module callee.
func withCallee(t *testing.T, spec string) *execnet.Gateway {
	t.Helper()
	gw := gateway(t, spec)
	require.NoError(t, remoteExec(t, gw, callee).WaitClose(within.Soon(t)))
	return gw
}

func TestCallsByPath(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		gw := withCallee(t, w.spec())
		got, err := gw.RemoteCall(within.Soon(t), "callee.Outer.Inner.method", 1, "b", execnet.Kwargs{"c": 2.5})
		require.NoError(t, err)
		assert.Equal(t, []any{int64(1), execnet.Tuple{"b"}, execnet.NewDict("c", 2.5)}, got)
		for path, args := range map[string][]any{
			"sorted": {[]int{1}}, "xml.dom.minidom.parseString": {"<a/>"}, "os.path.join": {"a"}, "datetime.datetime.fromtimestamp": {0},
			"email.message.Message.get": {1, 2}, "collections.OrderedDict.fromkeys": {""},
		} {
			_, err := gw.RemoteCall(within.Soon(t), path, args...)
			var remote *execnet.RemoteError
			if assert.NotErrorIs(t, err, context.DeadlineExceeded, path); err != nil {
				require.ErrorAs(t, err, &remote, path)
				assert.NotContains(t, remote.Exception(), "ImportError", "%s: %v", path, err)
				assert.NotContains(t, remote.Exception(), "ModuleNotFoundError", "%s: %v", path, err)
			}
		}
		for _, path := range []string{"os.nothing.here", "callee.Outer.nothing", "nothing", "datetime.datetime.nothing"} {
			_, err := gw.RemoteCall(within.Soon(t), path)
			var remote *execnet.RemoteError
			require.ErrorAs(t, err, &remote, path)
			assert.Equal(t, "AttributeError", remote.Exception(), path)
		}
	})
}

// TestCallsOfModulesThatFail imports modules that exist and cannot be imported.
func TestCallsOfModulesThatFail(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		gw := gateway(t, w.spec())
		ch := remoteExec(t, gw, `
import os, sys, tempfile
folder = tempfile.mkdtemp()
for name, text in (("pack/__init__.py", ""), ("pack/needs.py", "import no_such_module_at_all"), ("pack/raises.py", "raise ImportError('on purpose')"),
                   ("pack/fails.py", "1/0")):
    if not os.path.isdir(os.path.join(folder, "pack")):
        os.mkdir(os.path.join(folder, "pack"))
    with open(os.path.join(folder, name), "w") as f:
        f.write(text)
sys.path.insert(0, folder)
channel.send(None)
channel.receive()
import shutil
shutil.rmtree(folder)
`)
		receive(t, ch)
		for path, says := range map[string]string{
			"pack.needs.f": "no_such_module_at_all", "pack.raises.f": "on purpose", "pack.fails.f": "division", "pack.missing.f": "missing",
		} {
			_, err := gw.RemoteCall(within.Soon(t), path)
			assert.ErrorContains(t, err, says, path)
		}
		require.NoError(t, ch.Send(within.Soon(t), nil))
		require.NoError(t, ch.WaitClose(within.Soon(t)))
	})
}

func TestCallsSideBySide(t *testing.T) {
	for name, spec := range models(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, spec)
			const n = 20
			for range 2 {
				var calls sync.WaitGroup
				for i := range n {
					calls.Go(func() {
						got, err := execnet.RemoteCall[int](within.Soon(t), gw, "callee.meet", n, i)
						assert.NoError(t, err)
						assert.Equal(t, i, got)
					})
				}
				calls.Wait()
			}
			for range 10 {
				var calls sync.WaitGroup
				for i := range 50 {
					calls.Go(func() {
						got, err := execnet.RemoteCall[int](within.Soon(t), gw, "operator.add", i, 1)
						assert.NoError(t, err)
						assert.Equal(t, i+1, got)
					})
				}
				calls.Wait()
			}
			awaitExecuting(t, gw, 0)
		})
	}
}

// models are specs of our worker in every CPython, and with greenlets.
func models(t *testing.T) map[string]string {
	t.Helper()
	specs := map[string]string{}
	for _, p := range pythons.All(t) {
		specs[p.Version()] = p.Spec()
	}
	for _, model := range []string{"gevent", "eventlet"} {
		specs[model] = "popen//python=" + pythons.WithExecnet(t) + "//execmodel=" + model
	}
	return specs
}

// awaitExecuting waits until a worker executes so many programs and calls.
func awaitExecuting(t *testing.T, gw *execnet.Gateway, n int) {
	t.Helper()
	ctx := within.Soon(t)
	for {
		status, err := gw.RemoteStatus(ctx)
		require.NoError(t, err, "%d executions", status.NumExecuting)
		if status.NumExecuting == n {
			return
		}
	}
}

// TestCallsRunInTheMainThread also says that an open channel for calls does not occupy it.
func TestCallsRunInTheMainThread(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, p.Spec())
			inMain := func() bool {
				main, err := execnet.RemoteCall[bool](within.Soon(t), gw, "callee.in_main")
				require.NoError(t, err)
				return main
			}
			for range 100 {
				require.True(t, inMain())
			}
			ch := remoteExec(t, gw, "import callee; channel.send(callee.in_main()); channel.receive()")
			assert.Equal(t, true, receive(t, ch))
			for range 100 {
				require.False(t, inMain(), "the execution occupies the main thread")
			}
			require.NoError(t, ch.Send(within.Soon(t), nil))
			require.NoError(t, ch.WaitClose(within.Soon(t)))
			assert.True(t, inMain())
			status, err := gw.RemoteStatus(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, execnet.RemoteStatus{ExecModel: "thread"}, status)
		})
	}
}

func TestCallsUnderMainThreadOnly(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, p.Spec()+"//execmodel=main_thread_only")
			ctx, cancel := context.WithCancel(t.Context())
			var calls sync.WaitGroup
			calls.Go(func() {
				_, err := gw.RemoteCall(ctx, "callee.loop", 0)
				assert.ErrorIs(t, err, context.Canceled)
			})
			awaitExecuting(t, gw, 1)
			for range 5 { // calls wait for each other
				calls.Go(func() {
					main, err := execnet.RemoteCall[bool](within.Soon(t), gw, "callee.in_main")
					assert.NoError(t, err)
					assert.True(t, main)
				})
			}
			awaitExecuting(t, gw, 6)
			assert.EqualError(t, remoteExec(t, gw, "pass").WaitClose(within.Soon(t)),
				"concurrent remote_exec would cause deadlock for main_thread_only execmodel")
			cancel()
			calls.Wait()
			require.NoError(t, remoteExec(t, gw, "pass").WaitClose(within.Soon(t)))
			awaitExecuting(t, gw, 0)
		})
	}
}

func TestCallsThatFail(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, p.Spec())
			_, err := gw.RemoteCall(within.Soon(t), "callee.leaf")
			assert.ErrorContains(t, err, `DumpError: can't serialize ["rows"][0]["kind"]: `)
			_, err = gw.RemoteCall(within.Soon(t), "sys.exit", 3)
			var remote *execnet.RemoteError
			require.ErrorAs(t, err, &remote)
			assert.Equal(t, "SystemExit", remote.Exception())
			_, err = gw.RemoteCall(within.Soon(t), "math.sqrt", -1)
			require.ErrorAs(t, err, &remote)
			assert.True(t, remote.IsInstance("builtins.Exception"))
			_, err = gw.RemoteCall(within.Soon(t), "operator.add", make(chan int))
			var dump *execnet.DumpError
			require.ErrorAs(t, err, &dump)
			assert.Equal(t, "args[0]", dump.Path)
			_, err = execnet.RemoteCall[int](within.Soon(t), gw, "operator.add", "a", "b")
			var load *execnet.LoadError
			require.ErrorAs(t, err, &load, "a result that does not fit")
			large, err := execnet.RemoteCall[[]byte](within.Soon(t), gw, "builtins.bytes", []byte(strings.Repeat("0123456789", 1<<18)))
			if p.Major == 2 { // there all of that are strings
				assert.Error(t, err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, strings.Repeat("0123456789", 1<<18), string(large))
		})
	}
}

// TestCallsWithChannels sends channels with a call and back.
func TestCallsWithChannels(t *testing.T) {
	for _, p := range pythons.All(t) {
		t.Run(p.Version(), func(t *testing.T) {
			t.Parallel()
			gw := withCallee(t, p.Spec())
			for i := range 50 {
				ch, err := gw.NewChannel()
				require.NoError(t, err)
				got, err := execnet.RemoteCall[[]any](within.Soon(t), gw, "callee.channels", ch, i)
				require.NoError(t, err)
				assert.Equal(t, []any{ch, int64(i)}, got)
				assert.Equal(t, int64(i), receive(t, ch))
			}
		})
	}
}
