package compat_tests

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// classes is a module whose objects count themselves.
const classes = `
import gc, sys, types
classes = types.ModuleType("classes")
classes.__dict__.update(gc=gc, sys=sys, sleep=channel.gateway.execmodel.sleep)
exec('''
alive = set()

class Model(object):
    def __init__(self, name, **kwargs):
        if name == "bad":
            raise ValueError("a bad name")
        self.name, self.kwargs, self.part = name, kwargs, self
        alive.add(id(self))
        self.keep = [self]  # a cycle, unless it is cut
        self.keep = None
        self.part = Part(name)
    def __del__(self):
        alive.discard(id(self))
    def predict(self, x, **kwargs):
        return [self.name, x, sorted(kwargs.items())]
    def rows(self, n):
        for i in range(n):
            yield i
    def session(self):
        return Part(self.name)
    def loop(self):
        while True:
            sleep(0.001)
    @classmethod
    def made(cls, name):
        return cls(name)

class Part(object):
    def __init__(self, name):
        self.name = name
    def deep(self):
        return "deep " + self.name

def names(models):
    return [m.name for m in models["list"]]

def same(a, b):
    return a is b

def how_many():
    gc.collect()
    return len(alive)

class SlowEnd(object):
    def __del__(self):
        sleep(0.5)
''', classes.__dict__)
sys.modules["classes"] = classes
`

func withClasses(t *testing.T, spec string) *execnet.Gateway {
	t.Helper()
	gw := gateway(t, spec)
	require.NoError(t, remoteExec(t, gw, classes).WaitClose(within.Soon(t)))
	return gw
}

// ofOurs runs a test with our worker in every CPython and every model.
func ofOurs(t *testing.T, test func(t *testing.T, spec string)) {
	t.Helper()
	for name, spec := range models(t) {
		t.Run(name, func(t *testing.T) { t.Parallel(); test(t, spec) })
		if name != "gevent" && name != "eventlet" {
			t.Run(name+"/main_thread_only", func(t *testing.T) { t.Parallel(); test(t, spec+"//execmodel=main_thread_only") })
		}
	}
}

func TestHandles(t *testing.T) {
	ofOurs(t, func(t *testing.T, spec string) {
		gw := withClasses(t, spec)
		model, err := execnet.New(within.Soon(t), gw, "classes.Model", "m", execnet.Kwargs{"depth": 3})
		require.NoError(t, err)
		got, err := model.Call(within.Soon(t), "predict", 2.5, execnet.Kwargs{"fast": true})
		require.NoError(t, err)
		assert.Equal(t, []any{"m", 2.5, []any{execnet.Tuple{"fast", true}}}, got)
		deep, err := execnet.CallMethod[string](within.Soon(t), model, "part.deep")
		require.NoError(t, err)
		assert.Equal(t, "deep m", deep)
		depth, err := execnet.RemoteCall[map[string]int](within.Soon(t), gw, "getattr", model, "kwargs")
		require.NoError(t, err)
		assert.Equal(t, map[string]int{"depth": 3}, depth)
		n := 0
		for item, err := range execnet.IterMethod[int](within.Soon(t), model, "rows", 3000) {
			require.NoError(t, err)
			assert.Equal(t, n, item)
			n++
		}
		assert.Equal(t, 3000, n)

		other, err := execnet.New(within.Soon(t), gw, "classes.Model.made", "o")
		require.NoError(t, err)
		names, err := execnet.RemoteCall[[]string](within.Soon(t), gw, "classes.names", map[string]any{"list": []any{model, other}})
		require.NoError(t, err)
		assert.Equal(t, []string{"m", "o"}, names)
		same, err := execnet.RemoteCall[bool](within.Soon(t), gw, "classes.same", model, model)
		require.NoError(t, err)
		assert.True(t, same)
		ch := remoteExec(t, gw, "channel.send(channel.receive().name)")
		require.NoError(t, ch.Send(within.Soon(t), other))
		assert.Equal(t, "o", receive(t, ch), "in an item it is the object, too")
		session, err := execnet.New(within.Soon(t), gw, "operator.methodcaller", "session")
		require.NoError(t, err)
		session, err = execnet.New(within.Soon(t), gw, "map", session, []any{model})
		require.NoError(t, err)
		require.NoError(t, session.Close())
		assert.Regexp(t, `^<Handle of classes.Model in gateway gw\d+>$`, model.String())
		assert.Same(t, gw, model.Gateway())

		var remote *execnet.RemoteError
		_, err = model.Call(within.Soon(t), "nothing.here")
		require.ErrorAs(t, err, &remote)
		assert.Equal(t, "AttributeError", remote.Exception())
		_, err = model.Call(within.Soon(t), "predict")
		require.ErrorAs(t, err, &remote)
		assert.Equal(t, "TypeError", remote.Exception())
		_, err = execnet.New(within.Soon(t), gw, "classes.Model", "bad")
		require.ErrorAs(t, err, &remote)
		assert.Equal(t, "ValueError", remote.Exception())
		var bad *execnet.SourceError
		_, err = model.Call(within.Soon(t), "no such name")
		require.ErrorAs(t, err, &bad)
		_, err = execnet.New(within.Soon(t), gw, "")
		require.ErrorAs(t, err, &bad)

		require.NoError(t, other.Close())
		require.NoError(t, other.Close())
		_, err = other.Call(within.Soon(t), "predict", 1)
		require.ErrorIs(t, err, execnet.ErrClosed)
		_, err = gw.RemoteCall(within.Soon(t), "classes.same", model, other)
		require.ErrorIs(t, err, execnet.ErrClosed)
		for _, err := range execnet.IterMethod[int](within.Soon(t), other, "rows", 1) {
			require.ErrorIs(t, err, execnet.ErrClosed)
		}
		awaitAlive(t, gw, 1)
		runtime.KeepAlive(model)
	})
}

// awaitAlive waits until so many objects live.
func awaitAlive(t *testing.T, gw *execnet.Gateway, want int) {
	t.Helper()
	for ctx := within.Soon(t); ; runtime.GC() {
		n, err := execnet.RemoteCall[int](ctx, gw, "classes.how_many")
		require.NoError(t, err, "there are more than %d objects", want)
		if n == want {
			return
		}
	}
}

// TestHandlesLeaveNothing makes thousands of handles, and keeps none.
func TestHandlesLeaveNothing(t *testing.T) {
	ofOurs(t, func(t *testing.T, spec string) {
		gw := withClasses(t, spec)
		n := 1000
		if spec == pythons.Default(t).Spec() {
			n = 10000
		}
		for i := range n {
			h, err := execnet.New(within.Soon(t), gw, "classes.Model", "m")
			require.NoError(t, err)
			if i%3 == 0 {
				require.NoError(t, h.Close())
			}
		}
		awaitAlive(t, gw, 0)
		for ctx := within.Soon(t); ; {
			status, err := gw.RemoteStatus(ctx)
			require.NoError(t, err)
			if status.NumChannels == 0 && status.NumExecuting == 0 {
				break
			}
		}
	})
}

// TestHandleWhoseMakingIsInterrupted leaves no object.
func TestHandleWhoseMakingIsInterrupted(t *testing.T) {
	gw := withClasses(t, pythons.Default(t).Spec())
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		_, err := execnet.New(ctx, gw, "classes.Model", "m")
		assert.True(t, err == nil || errors.Is(err, context.Canceled), "%v", err)
	}
	awaitAlive(t, gw, 0)
	model, err := execnet.New(within.Soon(t), gw, "classes.Model", "m")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		awaitExecuting(t, gw, 1)
		cancel()
	}()
	_, err = model.Call(ctx, "loop")
	require.ErrorIs(t, err, context.Canceled)
	awaitExecuting(t, gw, 0)
	_, err = model.Call(within.Soon(t), "predict", 1)
	require.NoError(t, err)
}

// TestFinalizersOfHandles may take their time: they do not run in the thread that reads.
func TestFinalizersOfHandles(t *testing.T) {
	gw := withClasses(t, pythons.Default(t).Spec())
	h, err := execnet.New(within.Soon(t), gw, "classes.SlowEnd")
	require.NoError(t, err)
	echo := remoteExec(t, gw, "for x in channel: channel.send(x)")
	require.NoError(t, echo.Send(within.Soon(t), 1))
	receive(t, echo)
	require.NoError(t, h.Close())
	for i := range 100 {
		require.NoError(t, echo.Send(within.Soon(t), i))
		assert.Equal(t, int64(i), receive(t, echo))
	}
	status, err := gw.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, 2, status.NumExecuting, "the echo, and the finalizer still")
	require.NoError(t, echo.Close())
	awaitExecuting(t, gw, 0)
}

func TestHandlesElsewhere(t *testing.T) {
	first, second := withClasses(t, pythons.Default(t).Spec()), withClasses(t, pythons.Default(t).Spec())
	model, err := execnet.New(within.Soon(t), first, "classes.Model", "m")
	require.NoError(t, err)
	_, err = second.RemoteCall(within.Soon(t), "classes.same", model, model)
	var dump *execnet.DumpError
	require.ErrorAs(t, err, &dump)
	assert.Contains(t, err.Error(), fmt.Sprintf("belongs to gateway %s, not to %s", first.ID(), second.ID()))

	pip := withClasses(t, installed(t, pythons.Default(t)).spec())
	_, err = execnet.New(within.Soon(t), pip, "classes.Model", "m")
	require.ErrorIs(t, err, errors.ErrUnsupported)

	shut, err := execnet.New(within.Soon(t), first, "classes.Model", "m")
	require.NoError(t, err)
	require.NoError(t, shut.Close())
	_, err = shut.Call(within.Soon(t), "predict", 1)
	require.EqualError(t, err, "execnet: the handle of classes.Model: already closed")

	require.NoError(t, first.Kill())
	require.NoError(t, first.Join(within.Soon(t)))
	_, err = model.Call(within.Soon(t), "predict", 1)
	require.Error(t, err)
	require.NoError(t, model.Close())
}

func TestHandlesSideBySide(t *testing.T) {
	gw := withClasses(t, pythons.Default(t).Spec())
	var users sync.WaitGroup
	for i := range 20 {
		users.Go(func() {
			for j := range 50 {
				name := fmt.Sprint(i, " ", j)
				h, err := execnet.New(within.Soon(t), gw, "classes.Model", name)
				if !assert.NoError(t, err) {
					return
				}
				deep, err := execnet.CallMethod[string](within.Soon(t), h, "part.deep")
				assert.NoError(t, err)
				assert.Equal(t, "deep "+name, deep)
				assert.NoError(t, h.Close())
			}
		})
	}
	users.Wait()
	awaitAlive(t, gw, 0)
}
