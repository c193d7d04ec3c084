package gpython

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

func TestPrograms(t *testing.T) {
	w := newWorker(t, nil)
	for name, c := range map[string]struct {
		source string
		want   []any
	}{
		"names":         {"channel.send(__name__)\nchannel.send(channel.id)", []any{"__channelexec__", int64(1)}},
		"gateway":       {"channel.send(channel.gateway.id)\nchannel.send(channel.gateway is channel.gateway)", []any{"gw0-worker", true}},
		"repr":          {"channel.send([repr(channel), str(channel)])", []any{[]any{"<Channel id=1 open>", "<Channel id=1 open>"}}},
		"dict":          {"channel.send({3: 'a', (1, 2): b'x'})", []any{serializer.NewDict(int64(3), "a", serializer.Tuple{int64(1), int64(2)}, []byte("x"))}},
		"closed":        {"channel.send(channel.isclosed())", []any{false}},
		"identity":      {"c = channel.gateway.newchannel()\nchannel.send([c == c, c == channel, c != channel, len({c, channel, c})])", []any{[]any{true, false, true, int64(2)}}},
		"attributes":    {"channel.send([channel.RemoteError.__name__, channel.TimeoutError.__name__])", []any{[]any{"RemoteError", "TimeoutError"}}},
		"receive late":  {"try:\n  channel.receive(timeout=0.01)\nexcept channel.TimeoutError as e:\n  channel.send(str(e))", []any{"no item after 0.01 seconds"}},
		"waits":         {"try:\n  channel.waitclose(0)\nexcept channel.TimeoutError as e:\n  channel.send(str(e))", []any{"Timeout after 0 seconds"}},
		"close":         {"try:\n  channel.close()\nexcept OSError as e:\n  channel.send(str(e))", []any{"cannot explicitly close channel within remote_exec"}},
		"closes others": {"c = channel.gateway.newchannel()\nc.close()\ntry:\n  c.send(1)\nexcept OSError as e:\n  channel.send(str(e)[:15])\nchannel.send(c.isclosed())", []any{"cannot send to ", true}},
		"bad mode":      {"try:\n  channel.makefile('x')\nexcept ValueError as e:\n  channel.send(str(e))", []any{"mode 'x' not available"}},
		"bad value":     {"class C: pass\ntry:\n  channel.send(C)\nexcept Exception as e:\n  channel.send([type(e).__name__, str(e)])", []any{[]any{"DumpError", "can't serialize <class 'type'>"}}},
		"callback twice": {"c = channel.gateway.newchannel()\nc.setcallback(print)\nfor f in (lambda: c.setcallback(print), c.receive):\n  try:\n    f()\n  except OSError as e:\n    channel.send(str(e))",
			[]any{"<Channel id=2 open> has callback already registered", "cannot receive(), channel has receiver callback"}},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "names" || name == "repr" || name == "callback twice" {
				assert.Equal(t, c.want, newWorker(t, nil).run(t, c.source))
				return
			}
			assert.Equal(t, c.want, w.run(t, c.source))
		})
	}
}

func TestEcho(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, "for x in channel:\n    channel.send(x)")
	for _, v := range []any{int64(1), "é", []byte{0, 255}, nil, true, 1.5, []any{int64(1), serializer.Tuple{}}, serializer.NewDict("a", nil)} {
		require.NoError(t, ch.Send(t.Context(), v))
		assert.Equal(t, v, receive(t, ch))
	}
	require.NoError(t, ch.CloseSend())
	require.NoError(t, ch.WaitClose(within.Soon(t)))
}

func TestEOFEndsQuietly(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, "channel.receive()")
	require.NoError(t, ch.CloseSend())
	require.NoError(t, ch.WaitClose(within.Soon(t)))
}

func TestCallback(t *testing.T) {
	w := newWorker(t, nil)
	t.Run("while the program waits", func(t *testing.T) {
		ch := w.exec(t, `
c = channel.gateway.newchannel()
seen = []
c.setcallback(seen.append, endmarker='end')
channel.send(c)
c.waitclose()
channel.send(seen)
`)
		c := receive(t, ch).(*gatewaybase.Channel)
		require.NoError(t, c.Send(t.Context(), int64(1)))
		require.NoError(t, c.Send(t.Context(), "two"))
		require.NoError(t, c.Close())
		assert.Equal(t, []any{int64(1), "two", "end"}, receive(t, ch))
	})
	t.Run("while the program is busy", func(t *testing.T) {
		ch := w.exec(t, "seen = []\nchannel.setcallback(seen.append)\nchannel.send(0)\nwhile not seen: pass\nchannel.send(seen)")
		receive(t, ch)
		require.NoError(t, ch.Send(t.Context(), "x"))
		assert.Equal(t, []any{"x"}, receive(t, ch))
	})
	t.Run("after the program's end", func(t *testing.T) {
		ch := w.exec(t, "c = channel.receive()\nc.setcallback(lambda x: c.send(x * 2), endmarker=7)")
		c, err := w.NewChannel()
		require.NoError(t, err)
		require.NoError(t, ch.Send(t.Context(), c))
		require.NoError(t, ch.WaitClose(within.Soon(t)))
		require.NoError(t, c.Send(t.Context(), int64(21)))
		assert.Equal(t, int64(42), receive(t, c))
		require.NoError(t, c.CloseSend())
		assert.Equal(t, int64(14), receive(t, c))
	})
	t.Run("that fails", func(t *testing.T) {
		ch := w.exec(t, "def f(x):\n  1 / x\nc = channel.receive()\nc.setcallback(f)\nchannel.receive()")
		c, err := w.NewChannel()
		require.NoError(t, err)
		require.NoError(t, ch.Send(t.Context(), c))
		require.NoError(t, c.Send(t.Context(), int64(0)))
		err = c.WaitClose(within.Soon(t))
		var remote *gatewaybase.RemoteError
		require.ErrorAs(t, err, &remote)
		assert.Equal(t, "ZeroDivisionError", remote.Exception())
		assert.Contains(t, remote.Formatted, "line 2, in f\n    1 / x\n")
	})
}

func TestRemoteErrorFromTheDriver(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, "c = channel.receive()\ntry:\n  c.receive()\nexcept channel.RemoteError as e:\n  channel.send(str(e))\ntry:\n  c.receive()\nexcept EOFError:\n  channel.send('eof')")
	c, err := w.NewChannel()
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), c))
	require.NoError(t, c.CloseWithError(assert.AnError))
	assert.Equal(t, assert.AnError.Error(), receive(t, ch))
	assert.Equal(t, "eof", receive(t, ch))
}

func TestClosesWithError(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, "c = channel.gateway.newchannel()\nchannel.send(c)\nchannel.receive()\nc.close('because')")
	c := receive(t, ch).(*gatewaybase.Channel)
	require.NoError(t, ch.Send(t.Context(), nil))
	assert.EqualError(t, c.WaitClose(within.Soon(t)), "because")
}

func TestFiles(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{"a", "b\n", "c", "x y!"},
		w.run(t, "f = channel.makefile('w')\nf.write('a')\nf.writelines(['b\\n', 'c'])\nf.flush()\nprint('x', 'y', file=f, end='!')\nf.close()"))

	ch := w.exec(t, `
f = channel.makefile('r')
channel.send([f.read(3), f.readline(), f.readline()])
channel.send([line for line in f])
channel.send(f.read(1))
`)
	for _, s := range []string{"é2", "34\nfi", "ve\nsix\n", "seven"} {
		require.NoError(t, ch.Send(t.Context(), s))
	}
	require.NoError(t, ch.CloseSend())
	assert.Equal(t, []any{"é23", "4\n", "five\n"}, receive(t, ch))
	assert.Equal(t, []any{"six\n", "seven"}, receive(t, ch))
	assert.Equal(t, "", receive(t, ch))

	ch = w.exec(t, "f = channel.makefile('r')\nchannel.send(f.read(2))\nchannel.send(f.read())")
	require.NoError(t, ch.Send(t.Context(), []byte("abc")))
	require.NoError(t, ch.CloseSend())
	assert.Equal(t, []byte("ab"), receive(t, ch))
	assert.Equal(t, []byte("c"), receive(t, ch))
}

func TestCall(t *testing.T) {
	w := newWorker(t, nil)
	source := "def f(channel, n, word='w'):\n    channel.send([n, word])\n"
	assert.Equal(t, []any{[]any{int64(5), "w"}}, w.run(t, source, gatewaybase.Call("f", map[string]any{"n": 5})))
	e := w.fails(t, source, gatewaybase.Call("f", nil))
	assert.Equal(t, "TypeError", e.Exception())
	assert.Equal(t, "f() missing 1 required positional argument: 'n'", e.Message())
}

func TestLargeItems(t *testing.T) {
	w := newWorker(t, nil)
	ch := w.exec(t, "for x in channel:\n    channel.send(x)")
	big := make([]byte, 1<<20)
	big[7] = 7
	require.NoError(t, ch.Send(t.Context(), big))
	assert.Equal(t, big, receive(t, ch))
}

func TestAttributesOfChannels(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{int64(5), false, []any{int64(1)}, true, true, "mine", int64(2)}, w.run(t, `
channel.foo = 5
channel.send(channel.foo)
channel.send(hasattr(channel, 'bar'))
setattr(channel, 'bar', [1])
channel.send(channel.bar)
del channel.foo
channel.send(not hasattr(channel, 'foo') and 'bar' in channel.__dict__)
channel.send('send' in dir(channel) and 'bar' in dir(channel))
send, channel.send = channel.send, 'mine'
send(channel.send)
del channel.send
channel.send(2)
`))
}
