package channeltest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

var endings = []test{
	{"closed by the driver", closedHere},
	{"closed with an error by the driver", closedHereWithError},
	{"closed by the worker", closedThere},
	{"closed with an error by the worker", closedThereWithError},
	{"an execution cannot close its channel", closedByExecution},
	{"an error is handed on to another channel", errorHandedOn},
}

func closedHere(t *testing.T, r *run) {
	ch := r.exec(t, `
out = channel.receive()
items = [item for item in channel]
out.send(items)
try:
    channel.receive()
except EOFError:
    out.send("EOFError")
try:
    channel.send(1)
except IOError:
    out.send("IOError")
out.send((channel.isclosed(), channel.waitclose()))
`)
	out, err := r.gw.NewChannel()
	require.NoError(t, err)
	send(t, ch, out, 1, 2)
	require.NoError(t, ch.Close())
	require.NoError(t, ch.Close(), "twice is no error")
	assert.True(t, ch.IsClosed())
	assert.ErrorIs(t, ch.Send(t.Context(), 3), execnet.ErrClosed)
	atEnd(t, ch)
	assert.NoError(t, ch.WaitClose(within.Soon(t)))
	assert.Equal(t, []any{int64(1), int64(2)}, receive(t, out))
	assert.Equal(t, "EOFError", receive(t, out))
	assert.Equal(t, "IOError", receive(t, out))
	assert.Equal(t, execnet.Tuple{true, nil}, receive(t, out))
	if r.caps.PyPy {
		r.idle(t)
		r.collect(t)
	}
	atEnd(t, out, "the execution has ended, and dropped it")
}

func closedHereWithError(t *testing.T, r *run) {
	ch := r.exec(t, `
out = channel.receive()
got = []
try:
    while True:
        got.append(channel.receive())
except channel.RemoteError as e:
    out.send((got, str(e), e.formatted))
try:
    channel.receive()
except EOFError:
    out.send("once")
`)
	out, err := r.gw.NewChannel()
	require.NoError(t, err)
	send(t, ch, out, 1)
	require.NoError(t, ch.CloseWithError(errors.New("the driver gave up")))
	want := "the driver gave up"
	assert.Equal(t, execnet.Tuple{[]any{int64(1)}, want, want}, receive(t, out))
	assert.Equal(t, "once", receive(t, out))
}

func closedThere(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
sub.send(1)
sub.close()
sub.close()
channel.send(sub.isclosed())
channel.receive()
`)
	sub := r.newThere(t, ch)
	closedAfter(t, sub, int64(1))
	assert.ErrorIs(t, sub.Send(t.Context(), 1), execnet.ErrClosed)
	assert.Equal(t, true, receive(t, ch))
	require.NoError(t, ch.Close())
}

func closedThereWithError(t *testing.T, r *run) {
	ch := r.exec(t, `
for sub in channel:
    sub.send(1)
    sub.close(u"no traceback, caf\xe9")
`)
	for _, receiveFirst := range []bool{true, false} {
		sub := r.newThere(t, ch)
		var err error
		if receiveFirst {
			assert.Equal(t, int64(1), receive(t, sub))
			_, err = sub.Receive(within.Soon(t))
		} else {
			err = sub.WaitClose(within.Soon(t))
		}
		var remote *execnet.RemoteError
		require.ErrorAs(t, err, &remote)
		assert.Equal(t, "no traceback, café", remote.Formatted)
		assert.Equal(t, [2]string{"", "no traceback, café"}, [2]string{remote.Exception(), remote.Message()})
		assert.NoError(t, sub.WaitClose(within.Soon(t)))
	}
	require.NoError(t, ch.Close())
}

func closedByExecution(t *testing.T, r *run) {
	ch := r.exec(t, "channel.close()")
	err := ch.WaitClose(within.Soon(t))
	assert.ErrorContains(t, err, "cannot explicitly close channel within remote_exec")
}

func errorHandedOn(t *testing.T, r *run) {
	failing := r.exec(t, "raise KeyError('original')")
	cause := fails(t, failing, "KeyError")
	ch := r.exec(t, `
report = channel.receive()
try:
    channel.receive()
except channel.RemoteError as e:
    report.send(str(e).strip().split("\n")[-1])
`)
	report := r.newThere(t, ch)
	require.NoError(t, ch.CloseWithError(cause))
	assert.Equal(t, "KeyError: 'original'", receive(t, report))
	assert.Equal(t, cause, ch.WaitClose(within.Soon(t)), "it is raised at this end as well, once")
	assert.NoError(t, ch.WaitClose(within.Soon(t)))
}
