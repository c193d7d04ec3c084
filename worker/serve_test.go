package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/xspec"
)

// serving is a worker in this process.
type serving struct {
	driver *gatewaybase.Gateway
	ended  chan error // what Serve returned
	stop   context.CancelFunc
}

// startServing starts a worker in this process and returns the driver's gateway to it.
func startServing(t *testing.T, c config) serving {
	t.Helper()
	here, there := pipes.Pair(t)
	ctx, stop := context.WithCancel(context.Background())
	s := serving{ended: make(chan error, 1), stop: stop}
	if c.id == "" {
		c.id = "gw0-worker"
	}
	if c.goexit == nil {
		c.goexit = func(err error) { s.ended <- err }
	}
	go func() { s.ended <- serve(ctx, there, c) }()
	s.driver = gatewaybase.New(here, gatewaybase.Config{Spec: &xspec.Spec{ID: "gw0"}})
	t.Cleanup(func() {
		s.driver.Exit()
		require.NoError(t, s.driver.Join(within.Soon(t)))
		stop()
	})
	return s
}

func (s serving) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-within.Soon(t).Done():
		require.Fail(t, "the worker does not end")
		return nil
	}
}

// atOnce are limits that are over soon.
var atOnce = &limits{20 * time.Millisecond, time.Second, time.Second}

func TestCallsRunSideBySide(t *testing.T) {
	const n = 64
	var arrived sync.WaitGroup
	arrived.Add(n)
	register(t, "side", Funcs{"meet": func(i int) int {
		arrived.Done()
		arrived.Wait() // until all are here
		return i
	}})
	s := startServing(t, config{})
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() {
			got, err := gatewaybase.RemoteCall[int](within.Soon(t), s.driver, "side.meet", i)
			assert.NoError(t, err)
			assert.Equal(t, i, got)
		})
	}
	calls.Wait()
	status, err := s.driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "thread", status.ExecModel)
	assert.Zero(t, status.NumChannels)
}

func TestStatusCountsExecutions(t *testing.T) {
	started, end := make(chan bool), make(chan bool)
	register(t, "counting", Funcs{"wait": func() { started <- true; <-end }})
	s := startServing(t, config{execModel: "gevent"})
	called := make(chan error)
	go func() {
		_, err := s.driver.RemoteCall(within.Soon(t), "counting.wait")
		called <- err
	}()
	<-started
	status, err := s.driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, gatewaybase.RemoteStatus{NumExecuting: 1, ExecModel: "gevent"}, status)
	close(end)
	require.NoError(t, <-called)
}

func TestMainThreadOnlyRunsOneAfterAnother(t *testing.T) {
	var running atomic.Int32
	register(t, "one", Funcs{
		"at_a_time": func() int32 { defer running.Add(-1); return running.Add(1) },
	})
	s := startServing(t, config{execModel: "main_thread_only"})
	var calls sync.WaitGroup
	for range 20 {
		calls.Go(func() {
			got, err := s.driver.RemoteCall(within.Soon(t), "one.at_a_time")
			assert.NoError(t, err)
			assert.Equal(t, int64(1), got)
		})
	}
	calls.Wait()
}

func TestMainThreadOnlyWouldDeadlock(t *testing.T) {
	end := make(chan bool)
	register(t, "dead", Funcs{"lock": func() { <-end }, "free": func() bool { return true }})
	s := startServing(t, config{execModel: "main_thread_only"})
	first := make(chan error)
	go func() {
		_, err := s.driver.RemoteCall(within.Soon(t), "dead.lock")
		first <- err
	}()
	for {
		if status, err := s.driver.RemoteStatus(within.Soon(t)); assert.NoError(t, err) && status.NumExecuting == 1 {
			break
		}
	}
	waits := make(chan error)
	go func() { // calls wait for each other, however long that takes
		_, err := s.driver.RemoteCall(within.Soon(t), "dead.free")
		waits <- err
	}()
	ch, err := s.driver.RemoteExec(within.Soon(t), "pass")
	require.NoError(t, err)
	assert.EqualError(t, ch.WaitClose(within.Soon(t)), errDeadlock.Error())
	close(end)
	require.NoError(t, <-first)
	require.NoError(t, <-waits)
	got, err := s.driver.RemoteCall(within.Soon(t), "dead.free")
	require.NoError(t, err, "afterwards all is well")
	assert.Equal(t, true, got)
}

func TestWorkerEndsInOrder(t *testing.T) {
	s := startServing(t, config{})
	s.driver.Exit()
	require.NoError(t, s.end(t))
	require.NoError(t, s.driver.Join(within.Soon(t)))
	assert.NoError(t, s.driver.Err())
}

func TestWorkerEndsWithItsDriver(t *testing.T) {
	s := startServing(t, config{})
	require.NoError(t, s.driver.Kill())
	assert.NoError(t, s.end(t))
}

func TestWorkerEndsWithItsContext(t *testing.T) {
	s := startServing(t, config{})
	_, err := s.driver.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	s.stop()
	// Closing a pipe that somebody reads frees the reader only where the pipe has a poller, as in
	// this test.
	assert.ErrorIs(t, s.end(t), context.Canceled)
}

func TestWhatIsSentLastArrives(t *testing.T) {
	started := make(chan bool)
	register(t, "last", Funcs{"word": func(ctx context.Context, ch *gatewaybase.Channel) error {
		close(started)
		<-ctx.Done()
		for range 100 {
			if err := ch.Send(context.WithoutCancel(ctx), make([]byte, 10000)); err != nil {
				return err
			}
		}
		return nil
	}})
	s := startServing(t, config{limits: atOnce})
	ch, err := s.driver.RemoteExec(t.Context(), "import last\nlast.word(channel)", gatewaybase.File("last.py", 1))
	require.NoError(t, err)
	select {
	case <-started:
	case <-within.Soon(t).Done():
		require.Fail(t, "the function was not called", "%v", ch.WaitClose(within.Soon(t)))
	}
	s.driver.Exit()
	n := 0
	for item, err := range ch.Items(within.Soon(t)) {
		require.NoError(t, err)
		n += len(item.([]byte))
	}
	assert.Equal(t, 1000000, n)
	assert.NoError(t, s.end(t))
}

func TestStuckFunctionsAreGivenUp(t *testing.T) {
	started, end := make(chan bool), make(chan bool)
	register(t, "stuck", Funcs{"wait": func() { started <- true; <-end }})
	defer close(end)
	s := startServing(t, config{limits: &limits{time.Millisecond, time.Millisecond, time.Second}})
	go s.driver.RemoteCall(context.Background(), "stuck.wait")
	<-started
	s.driver.Exit()
	assert.ErrorIs(t, s.end(t), errStuck)
}

func TestDriverThatDoesNotRead(t *testing.T) {
	here, there := pipes.Pair(t)
	defer here.CloseRead()
	ended := make(chan error, 1)
	go func() {
		ended <- serve(context.Background(), there,
			config{id: "gw0-worker", limits: &limits{time.Millisecond, time.Millisecond, 100 * time.Millisecond}})
	}()
	// STATUS is answered by the worker itself, until the pipe is full.
	for range 2000 {
		_, err := here.Write([]byte{0, 0, 0, 0, 1, 0, 0, 0, 0})
		require.NoError(t, err)
	}
	require.NoError(t, here.CloseWrite())
	select {
	case err := <-ended:
		assert.NoError(t, err)
	case <-within.Soon(t).Done():
		require.Fail(t, "the worker does not end")
	}
}

func TestCallersLetGo(t *testing.T) {
	started, ended := make(chan bool), make(chan error)
	register(t, "let", Funcs{"go": func(ctx context.Context) { started <- true; <-ctx.Done(); ended <- ctx.Err() }})
	s := startServing(t, config{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() { <-started; cancel() }()
	_, err := s.driver.RemoteCall(ctx, "let.go")
	assert.ErrorIs(t, err, context.Canceled)
	assert.ErrorIs(t, <-ended, context.Canceled)
}

func TestErrorsOfCalls(t *testing.T) {
	register(t, "failing", Funcs{
		"plainly":   func() error { return errors.New("no such word") },
		"precisely": func() error { return &Raised{Class: "KeyError", Message: "'word'"} },
		"wrapping":  func() error { return fmt.Errorf("looking: %w", &Raised{Class: "KeyError", Message: "'word'"}) },
		"silently":  func() error { return fmt.Errorf("looking: %w", &Raised{Class: "KeyError"}) },
		"badly":     func(v []int) int { return v[7] },
		"unsent":    func() any { return func() {} },
		"at_end": func(ctx context.Context, ch *gatewaybase.Channel) error {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_, err := ch.Receive(ctx)
			return err
		},
	})
	s := startServing(t, config{})
	for _, test := range []struct {
		function             string
		args                 []any
		exception, says, all string
	}{
		{"failing.plainly", nil, "RuntimeError", "no such word", "Go function failing.plainly"},
		{"failing.precisely", nil, "KeyError", "'word'", ""},
		{"failing.wrapping", nil, "KeyError", "looking: 'word'", ""},
		{"failing.silently", nil, "KeyError", "looking", ""},
		{"failing.badly", []any{[]int{}}, "RuntimeError", "panic in failing.badly: runtime error: index out of range [7] with length 0", "serve_test.go:"},
		{"failing.badly", []any{"text"}, "TypeError", "failing.badly() argument 1: ", ""},
		{"failing.unsent", nil, "execnet.gateway_base.DumpError", "cannot serialize", ""},
		{"failing.at_end", nil, "execnet.gateway_base.TimeoutError", "timeout", ""},
		{"failing.unknown", nil, "AttributeError", "module 'failing' has no attribute 'unknown'", ""},
		{"unknown.f", nil, "ModuleNotFoundError", "No module named 'unknown'", "failing"},
		{"f", nil, "AttributeError", "no builtin is named 'f'", "remote_call"},
	} {
		_, err := s.driver.RemoteCall(within.Soon(t), test.function, test.args...)
		var remote *gatewaybase.RemoteError
		if assert.ErrorAs(t, err, &remote, test.function) {
			assert.Equal(t, test.exception, remote.Exception(), remote.Formatted)
			assert.Contains(t, remote.Message(), test.says)
			assert.Contains(t, remote.Formatted, test.all)
			assert.True(t, strings.HasSuffix(remote.Formatted, "\n"))
			assert.Empty(t, remote.MRO, "the driver did not ask for it")
		}
	}
}

// TestErrorsWithTheirClass has a driver that asks for more than the text.
func TestErrorsWithTheirClass(t *testing.T) {
	register(t, "raising", Funcs{
		"raise_":  func(class, text string) error { return &Raised{Class: class, Message: text} },
		"panic":   func() { panic("so") },
		"unsent":  func() any { return func() {} },
		"missing": func() error { return io.EOF },
	})
	s := startServing(t, config{describeErrors: true})
	call := func(function string, args ...any) *gatewaybase.RemoteError {
		_, err := s.driver.RemoteCall(within.Soon(t), "raising."+function, args...)
		var remote *gatewaybase.RemoteError
		require.ErrorAs(t, err, &remote)
		return remote
	}
	e := call("raise_", "KeyError", "no\nword")
	assert.Equal(t, []string{"builtins.KeyError", "builtins.LookupError", "builtins.Exception", "builtins.BaseException", "builtins.object"}, e.MRO)
	assert.Equal(t, "no\nword", e.Text)
	assert.Equal(t, [3]string{"KeyError", "no", "KeyError: no"}, [3]string{e.Exception(), e.Message(), e.Summary()})
	assert.True(t, strings.HasSuffix(e.Formatted, "\nKeyError: no\nword\n"))
	for class, is := range map[string]bool{
		"KeyError": true, "builtins.KeyError": true, "LookupError": true, "builtins.Exception": true, "object": true,
		"ValueError": false, "Error": false, "eyError": false, "": false, "builtins": false,
	} {
		assert.Equal(t, is, e.IsInstance(class), class)
	}
	e = call("raise_", "textstats.Unknown", "word")
	assert.Equal(t, []string{"textstats.Unknown", "builtins.Exception", "builtins.BaseException", "builtins.object"}, e.MRO)
	assert.True(t, call("panic").IsInstance("RuntimeError"))
	assert.True(t, call("missing").IsInstance("EOFError"))
	assert.True(t, call("unsent").IsInstance("execnet.gateway_base.DataFormatError"))
	assert.True(t, call("unknown").IsInstance("AttributeError"))
	e = call("raise_", "ValueError", strings.Repeat("x", 3<<20))
	assert.Less(t, len(e.Text), 1<<20+100)
	assert.Less(t, len(e.Formatted), 1<<20+100)
}

// TestTheEndOfTheOwnChannel has functions that fail with io.EOF: the end of their own channel ends
// a call in order, any other is an error.
func TestTheEndOfTheOwnChannel(t *testing.T) {
	receive := func(ctx context.Context, ch *gatewaybase.Channel) error {
		_, err := ch.Receive(ctx)
		return err
	}
	all := func(ctx context.Context, ch *gatewaybase.Channel) error {
		for _, err := range ch.Items(ctx) {
			if err != nil {
				return err
			}
		}
		return nil
	}
	register(t, "ending", Funcs{
		"own": receive,
		"wrapped": func(ctx context.Context, ch *gatewaybase.Channel) error {
			return fmt.Errorf("waiting: %w", receive(ctx, ch))
		},
		"file": func(ctx context.Context, ch *gatewaybase.Channel) error {
			_, err := ch.MakeFileReader(ctx).Read(make([]byte, 1))
			return err
		},
		"items":   all,
		"another": func() error { return fmt.Errorf("words.txt: %w", io.EOF) },
		"later": func(ctx context.Context, ch *gatewaybase.Channel) error {
			return errors.Join(all(ctx, ch), io.EOF)
		},
		"other": func(ctx context.Context, ch, other *gatewaybase.Channel) error { return receive(ctx, other) },
	})
	s := startServing(t, config{})
	for name, want := range map[string]string{
		"own()": "", "wrapped()": "", "file()": "", "items()": "", "another()": "words.txt: EOF", "later()": "EOF",
		"other(sub)": "EOF", "own(sub)": "EOF",
	} {
		sub, err := s.driver.NewChannel()
		require.NoError(t, err)
		ch, err := s.driver.RemoteExec(t.Context(), "import ending\nsub = channel.receive()\nending."+name)
		require.NoError(t, err)
		require.NoError(t, ch.Send(t.Context(), sub))
		require.NoError(t, sub.Close())
		require.NoError(t, ch.CloseSend())
		err = ch.WaitClose(within.Soon(t))
		var remote *gatewaybase.RemoteError
		if want == "" {
			assert.NoError(t, err, name)
		} else if assert.ErrorAs(t, err, &remote, name) {
			assert.Equal(t, [2]string{"EOFError", want}, [2]string{remote.Exception(), remote.Message()})
		}
	}
	_, err := s.driver.RemoteCall(within.Soon(t), "ending.another")
	var remote *gatewaybase.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, [2]string{"EOFError", "words.txt: EOF"}, [2]string{remote.Exception(), remote.Message()})
}

// TestGoexit has functions that end their goroutines. The call fails, and the worker lives on.
func TestGoexit(t *testing.T) {
	register(t, "leaving", Funcs{
		"go":   func() int { runtime.Goexit(); return 1 },
		"fail": func() { new(testing.T).FailNow() },
		"back": func() int { return 2 },
	})
	for _, model := range []string{"thread", "main_thread_only"} {
		s := startServing(t, config{execModel: model})
		for range 20 {
			for _, function := range []string{"leaving.go", "leaving.fail"} {
				_, err := s.driver.RemoteCall(within.Soon(t), function)
				var remote *gatewaybase.RemoteError
				require.ErrorAs(t, err, &remote, model)
				assert.Equal(t, "RuntimeError", remote.Exception())
				assert.Contains(t, remote.Message(), "runtime.Goexit")
			}
			ch, err := s.driver.RemoteExec(t.Context(), "import leaving\nleaving.go()")
			require.NoError(t, err)
			assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), "runtime.Goexit")
			got, err := gatewaybase.RemoteCall[int](within.Soon(t), s.driver, "leaving.back")
			require.NoError(t, err)
			assert.Equal(t, 2, got)
		}
		ch, err := s.driver.RemoteExec(t.Context(), `
			import leaving
			sub = channel.gateway.newchannel()
			sub.setcallback(lambda item: leaving.go())
			channel.send(sub)
			channel.receive()
		`)
		require.NoError(t, err)
		sub, err := gatewaybase.Receive[*gatewaybase.Channel](within.Soon(t), ch)
		require.NoError(t, err)
		require.NoError(t, sub.Send(t.Context(), 1))
		assert.ErrorContains(t, sub.WaitClose(within.Soon(t)), "runtime.Goexit")
		require.NoError(t, ch.Send(t.Context(), nil))
		require.NoError(t, ch.WaitClose(within.Soon(t)))
		s.driver.Exit()
		assert.NoError(t, s.end(t))
	}
}

func TestValuesOfCalls(t *testing.T) {
	register(t, "values", Funcs{"same": func(v any) any { return v }, "two": func() (int, string) { return 1, "b" }})
	s := startServing(t, config{})
	inner, err := s.driver.NewChannel()
	require.NoError(t, err)
	for _, v := range []any{nil, int64(1), "é", []byte{0}, serializer.Tuple{[]any{inner}}, serializer.NewDict(serializer.Tuple{int64(1)}, 2.5)} {
		got, err := s.driver.RemoteCall(within.Soon(t), "values.same", v)
		require.NoError(t, err)
		assert.Equal(t, v, got)
	}
	got, err := s.driver.RemoteCall(within.Soon(t), "values.two")
	require.NoError(t, err)
	assert.Equal(t, serializer.Tuple{int64(1), "b"}, got)
}

func TestMessagesThatAreCutOff(t *testing.T) {
	here, there := pipes.Pair(t)
	defer here.CloseRead()
	_, err := here.Write([]byte{4, 0, 0, 0, 1, 0, 0, 0, 9, 'F'})
	require.NoError(t, err)
	require.NoError(t, here.CloseWrite())
	err = serve(within.Soon(t), there, config{id: "gw0-worker"})
	assert.ErrorContains(t, err, "gateway gw0-worker died: the stream ended within a message")
}

func TestWorkerWithoutAnEngine(t *testing.T) {
	s := startServing(t, config{engine: engine.None{}})
	got, err := gatewaybase.RemoteCall[int](within.Soon(t), s.driver, "textstats.count", "a b")
	require.NoError(t, err)
	assert.Equal(t, 2, got)
	info, err := s.driver.RInfo(within.Soon(t))
	require.NoError(t, err, "what drivers ask for is served by Go code")
	assert.NotZero(t, info.PID)
	ch, err := s.driver.RemoteExec(within.Soon(t), "channel.send(1)")
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	var remote *gatewaybase.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, "RuntimeError", remote.Exception())
	assert.Contains(t, remote.Message(), `import _ "github.com/go-execnet/execnet/gpython"`)
}

func TestMaxCostIsReadFromTheEnvironment(t *testing.T) {
	for text, want := range map[string]int{"": 0, "7": 7} {
		t.Setenv("EXECNET_MAX_COST", text)
		times, err := maxCost()
		require.NoError(t, err)
		assert.Equal(t, want, times)
	}
	t.Setenv("EXECNET_MAX_COST", "much")
	err := serve(t.Context(), nil, config{id: "gw0-worker"})
	assert.EqualError(t, err, `execnet: EXECNET_MAX_COST must be a number, not "much"`)
}
