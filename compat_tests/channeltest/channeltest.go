// Package channeltest tests everything that a channel does. It runs over every transport and
// against every worker. The far end is a real interpreter; the source that it gets runs under
// Python 2.7 and 3.
package channeltest

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// Caps says what a worker is and how it differs from this module's own worker under Python 3, which
// the zero value describes. A difference changes what a test expects. No test is skipped because of
// one.
type Caps struct {
	// Python2 is set for an interpreter of Python 2, where bytes are str and dicts have no order.
	Python2 bool
	// UnorderedDicts is set where a dict does not keep the order of its keys: Python 2 and 3.5.
	UnorderedDicts bool
	// ExecModel is the execution model that RemoteStatus has to name; empty means "thread".
	ExecModel string
	// PyPy is set for an interpreter that has what nobody refers to until it collects garbage, and
	// whose recursion ends with the stack.
	PyPy bool
	// KeepsStdio is set where print reaches the worker's own stdout, because the protocol has a
	// stream of its own (sockets).
	KeepsStdio bool

	// NoIntBelowInt32: execnet's dumper chooses INT for every int up to 2^31-1, and fails with
	// struct.error below -2^31.
	NoIntBelowInt32 bool
	// OneStringRule: execnet 1.9.0 obeys py3str_as_py2str under Python 2 alone (protocol.md section
	// 4.7).
	OneStringRule bool
	// RefusesCookies: execnet 1.9.0 under Python 2 compiles source as unicode, in which Python 2
	// does not allow a coding cookie.
	RefusesCookies bool
	// ASCIIFileNames: execnet 1.9.0 under Python 2 cannot compile source with any other file name.
	ASCIIFileNames bool
	// RefusesAfterError: execnet 2.1.2 under main_thread_only does not note the end of an execution
	// that raised, and answers every later one with the deadlock text (protocol.md section 6.5).
	RefusesAfterError bool
	// LosesUnsendableErrors: execnet cannot send a traceback that holds a lone surrogate. The
	// channel of that execution is never closed.
	LosesUnsendableErrors bool
	// NoCloseAfterSendOnly: execnet sends nothing when it drops a channel that is sendonly, so that
	// a callback here gets its endmarker only when the gateway ends (protocol.md section 5.3).
	NoCloseAfterSendOnly bool
	// LosesLastClose: an execution that execnet ends because the driver has terminated the gateway
	// may not get to close its channel any more.
	LosesLastClose bool
	// AnyEOFErrorEnds: execnet takes every EOFError for the end of the execution's channel, also
	// one of pickle.load or of the source itself (protocol.md section 6.6).
	AnyEOFErrorEnds bool
	// ErrorsAreTexts: execnet sends the traceback of an exception alone, without its base classes.
	ErrorsAreTexts bool
	// ExitsAreErrors: in execnet sys.exit() and sys.exit(0) are errors, too.
	ExitsAreErrors bool
}

func (c Caps) execModel() string {
	if c.ExecModel == "" {
		return "thread"
	}
	return c.ExecModel
}

// green reports whether executions are greenlets, which all run in one thread.
func (c Caps) green() bool { return c.ExecModel == "gevent" || c.ExecModel == "eventlet" }

// run is a gateway that tests share, and what its worker is.
type run struct {
	gw   *execnet.Gateway
	caps Caps
}

// Run runs all tests. open makes a gateway, which has to end with the test that is given to open.
// Run calls it once for the gateway that most tests share, and once for each test that needs its
// own. The worker may have any execution model but main_thread_only; RunMainThreadOnly is for that
// one.
func Run(t *testing.T, open func(t *testing.T) *execnet.Gateway, caps Caps) {
	shared := &run{open(t), caps}
	for _, group := range [][]test{values, executions, endings, callbacks, overChannels, files, drops, gateways, streams, loads, windows} {
		for _, test := range group {
			t.Run(test.name, func(t *testing.T) {
				test.f(t, shared)
				require.NoError(t, shared.gw.Err(), "the gateway has to outlive this test")
			})
		}
	}
	t.Run("nothing is left open", shared.nothingLeft)
	for _, test := range alone {
		t.Run(test.name, func(t *testing.T) { test.f(t, &run{open(t), caps}) })
	}
}

type test struct {
	name string
	f    func(t *testing.T, r *run)
}

// idle waits until the worker executes nothing.
func (r *run) idle(t *testing.T) {
	t.Helper()
	r.eventually(t, func(status execnet.RemoteStatus) bool { return status.NumExecuting == 0 })
}

// nothingLeft looks for channels and executions that outlived the tests, at both ends.
func (r *run) nothingLeft(t *testing.T) {
	r.eventually(t, func(status execnet.RemoteStatus) bool {
		runtime.GC() // drops channels here, which the next status shows
		r.collect(t)
		return status.NumChannels == 0 && status.NumExecuting == 0
	})
}

// eventually asks the worker for its status until ok returns true, for at most 15 seconds. It is
// for states that no message announces.
func (r *run) eventually(t *testing.T, ok func(execnet.RemoteStatus) bool) {
	t.Helper()
	var status execnet.RemoteStatus
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var err error
		status, err = r.gw.RemoteStatus(within.Soon(t))
		require.NoError(t, err)
		if ok(status) {
			return
		}
	}
	t.Fatalf("the worker still has channels or executions: %+v", status)
}

// exec has the worker execute source.
func (r *run) exec(t *testing.T, source string) *execnet.Channel {
	t.Helper()
	ch, err := r.gw.RemoteExec(t.Context(), source)
	require.NoError(t, err)
	return ch
}

// collect has a worker that does not do so by itself drop what nobody refers to any more.
func (r *run) collect(t *testing.T) {
	t.Helper()
	if r.caps.PyPy {
		ends(t, r.exec(t, "import gc; gc.collect(); gc.collect()"))
	}
}

// newThere makes a channel and has the worker's channel ch receive it. The caller holds the only
// reference.
func (r *run) newThere(t *testing.T, ch *execnet.Channel) *execnet.Channel {
	t.Helper()
	sub, err := r.gw.NewChannel()
	require.NoError(t, err)
	send(t, ch, sub)
	return sub
}

// receive receives the next item.
func receive(t *testing.T, ch *execnet.Channel) any {
	t.Helper()
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	return v
}

// receiveAs receives the next item as a T.
func receiveAs[T any](t *testing.T, ch *execnet.Channel) T {
	t.Helper()
	v, err := execnet.Receive[T](within.Soon(t), ch)
	require.NoError(t, err)
	return v
}

// send sends items.
func send(t *testing.T, ch *execnet.Channel, items ...any) {
	t.Helper()
	for _, item := range items {
		require.NoError(t, ch.Send(t.Context(), item))
	}
}

// atEnd checks that a channel was closed without an error and that no item is left.
func atEnd(t *testing.T, ch *execnet.Channel, why ...any) {
	t.Helper()
	_, err := ch.Receive(within.Soon(t))
	assert.Equal(t, io.EOF, err, why...)
}

// closedAfter waits until the far end has closed a channel, on which it has sent item before.
func closedAfter(t *testing.T, ch *execnet.Channel, item any) {
	t.Helper()
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	assert.True(t, ch.IsClosed())
	assert.Equal(t, item, receive(t, ch))
	atEnd(t, ch)
}

// gathered sets a callback on ch and returns what it is called with, at most room items. The
// endmarker is "END".
func gathered(t *testing.T, ch *execnet.Channel, room int) <-chan any {
	t.Helper()
	items := make(chan any, room)
	require.NoError(t, ch.SetCallback(func(item any) error { items <- item; return nil }, "END"))
	return items
}

// endmarker checks that the next item of gathered is the endmarker.
func endmarker(t *testing.T, gathered <-chan any) {
	t.Helper()
	select {
	case item := <-gathered:
		assert.Equal(t, "END", item)
	case <-within.Soon(t).Done():
		t.Fatal("no endmarker")
	}
}

// ends waits for an execution that is to end without an error.
func ends(t *testing.T, ch *execnet.Channel) {
	t.Helper()
	require.NoError(t, ch.WaitClose(within.Soon(t)))
}

// fails waits for the end of an execution that has to raise exception, and returns the error.
func fails(t *testing.T, ch *execnet.Channel, exception string) *execnet.RemoteError {
	t.Helper()
	err := ch.WaitClose(within.Soon(t))
	var remote *execnet.RemoteError
	require.ErrorAs(t, err, &remote)
	assert.Equal(t, exception, remote.Exception(), "in %v", err)
	return remote
}
