//go:build unix

package compat_tests

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// bufferSource changes what it receives and sends it back. Half of the items come before it asks
// for them.
const bufferSource = `
import time
for early in (False, True):
    for n in channel.receive():
        if early:
            while len(channel._items) < 2:
                time.sleep(0.001)
        view = channel.receive(10, buffer=True)
        assert type(view) is memoryview and not view.readonly and len(view) == n, view
        if n:
            view[n - 1:] = b"z"
        channel.send(view.tobytes())
        plain = channel.receive(buffer=False)
        assert type(plain) is bytes and len(plain) == n, type(plain)
        channel.send(plain)
assert channel.receive(buffer=True) == [b"in a list"]
assert channel.receive(buffer=True) is None
taken = []
other = channel.receive(buffer=True)
channel.send(None)
channel.receive()
other.setcallback(taken.append)
channel.send([type(item) is bytes and len(item) for item in taken])
try:
    channel.receive(0.01, buffer=True)
except channel.TimeoutError:
    pass
channel.receive(buffer=True)  # the end
`

// TestReceiveBuffer has every CPython receive bytes as buffers that can be written to.
func TestReceiveBuffer(t *testing.T) {
	independent(t)
	g := newGroup(t, new(textbuffer.Buffer))
	for _, python := range pythons.All(t) {
		for name, spec := range map[string]string{"": python.Spec(), " behind Go": "popen//self" + hasBehind(python.Path)} {
			t.Run(python.Version()+name, func(t *testing.T) {
				ctx := within.Soon(t)
				gw := makeGateway(t, g, spec)
				ch, err := gw.RemoteExec(ctx, bufferSource)
				require.NoError(t, err)
				sizes := []int{0, 1, 10, 70_000, 300_000, 3 << 20}
				for range 2 {
					require.NoError(t, ch.Send(ctx, sizes))
					for _, n := range sizes {
						item := bytes.Repeat([]byte("a"), n)
						for range 2 {
							require.NoError(t, ch.Send(ctx, item))
						}
						changed := receiveBytes(t, ch)
						want := append(bytes.Clone(item[:max(n-1, 0)]), "z"[:min(n, 1)]...)
						assert.True(t, bytes.Equal(want, changed), "%d bytes", n)
						plain := receiveBytes(t, ch)
						assert.True(t, bytes.Equal(item, plain), "%d bytes", n)
					}
				}
				require.NoError(t, ch.Send(ctx, [][]byte{[]byte("in a list")}))
				require.NoError(t, ch.Send(ctx, nil))
				other, err := gw.NewChannel()
				require.NoError(t, err)
				require.NoError(t, ch.Send(ctx, other))
				_, err = ch.Receive(ctx)
				require.NoError(t, err)
				for _, n := range []int{10, 3 << 20} {
					require.NoError(t, other.Send(ctx, make([]byte, n)))
				}
				require.NoError(t, ch.Send(ctx, nil))
				taken, err := execnet.Receive[[]int](ctx, ch)
				require.NoError(t, err)
				assert.Equal(t, []int{10, 3 << 20}, taken)
				require.NoError(t, ch.Close())
				require.NoError(t, ch.WaitClose(ctx))
			})
		}
	}
}

// receiveBytes receives bytes, which are a str in Python 2.
func receiveBytes(t *testing.T, ch *execnet.Channel) []byte {
	t.Helper()
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	if s, ok := v.(string); ok {
		return []byte(s)
	}
	require.IsType(t, []byte{}, v)
	return v.([]byte)
}
