package channeltest

import (
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// alone are the tests that need a gateway of their own, or that make theirs unusable.
var alone = []test{
	{"string rules of a gateway", gatewayStrings},
	{"an error whose text is no Unicode", unsendableError},
	{"what the end of a gateway does", gatewayEnds},
}

func gatewayStrings(t *testing.T, r *run) {
	require.NoError(t, r.gw.Reconfigure(t.Context(), execnet.StrConfig{Py3StrAsPy2Str: true}))
	ch := r.exec(t, `
item = channel.receive()
channel.send((type(item) is bytes, item == b"text", "plain", u"uni"))
sub = channel.gateway.newchannel()
channel.send(sub)
sub.send(type(sub.receive()) is bytes)
`)
	send(t, ch, "text")
	plain, uni := any([]byte("plain")), any([]byte("uni"))
	if r.caps.Python2 {
		uni = "uni" // UNICODE is text with every strconfig
	}
	asBytes := r.caps.Python2 || !r.caps.OneStringRule
	assert.Equal(t, execnet.Tuple{asBytes, asBytes, plain, uni}, receive(t, ch))
	sub := receiveAs[*execnet.Channel](t, ch)
	send(t, sub, "text")
	assert.Equal(t, asBytes, receive(t, sub), "channels made later have the gateway's rules")
	ends(t, ch)
}

func unsendableError(t *testing.T, r *run) {
	source := `raise ValueError('\ud800')`
	if r.caps.Python2 {
		source = `raise ValueError('\xff\xfe')`
	}
	ch := r.exec(t, source)
	if r.caps.LosesUnsendableErrors {
		_, err := ch.Receive(within.Time(t, 500*time.Millisecond))
		assert.ErrorIs(t, err, execnet.ErrTimeout)
		return
	}
	assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), "ValueError: ")
	ch = r.exec(t, "channel.send('the worker lives on')")
	assert.Equal(t, "the worker lives on", receive(t, ch))
}

func gatewayEnds(t *testing.T, r *run) {
	waiting := r.exec(t, `
channel.send("up")
try:
    channel.receive()
except EOFError:
    raise
`)
	assert.Equal(t, "up", receive(t, waiting))
	withCallback, err := r.gw.NewChannel()
	require.NoError(t, err)
	called := gathered(t, withCallback, 1)
	assert.True(t, r.gw.HasReceiver())
	began := time.Now()
	r.gw.Exit()
	_, err = waiting.Receive(within.Soon(t))
	if !r.caps.LosesLastClose || !errors.Is(err, execnet.ErrTerminated) {
		assert.Equal(t, io.EOF, err, "an end that was asked for is no death")
	}
	endmarker(t, called)
	require.NoError(t, r.gw.Join(within.Soon(t)))
	assert.Less(t, time.Since(began), 4*time.Second, "the execution saw EOFError and was not interrupted")
	assert.False(t, r.gw.HasReceiver())
	assert.NoError(t, r.gw.Err())
	if exit := r.gw.ExitStatus(); exit.Known {
		assert.Zero(t, exit.Code)
	}
	_, err = r.gw.RemoteExec(t.Context(), "pass")
	assert.ErrorIs(t, err, execnet.ErrClosed)
	_, err = r.gw.NewChannel()
	assert.ErrorIs(t, err, execnet.ErrClosed)
	assert.ErrorIs(t, waiting.Send(t.Context(), 1), execnet.ErrClosed)
}
