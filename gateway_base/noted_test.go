package gatewaybase

import (
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// naming is a tuple of the channels with n ids, 101, 103 and so on.
func naming(n int) []byte {
	var b []byte
	for i := range n {
		b = binary.BigEndian.AppendUint32(append(b, 'B'), uint32(101+2*i))
	}
	b = binary.BigEndian.AppendUint32(append(b, '@'), uint32(n))
	return append(b, 'Q')
}

// send writes messages for the channels of a gateway to its pipe.
func send(t *testing.T, to io.Writer, c code, channel int32, payload []byte) {
	t.Helper()
	_, err := to.Write(frameBytes(t, c, channel, payload))
	require.NoError(t, err)
}

// closes reads n CHANNEL_CLOSE messages and returns their ids.
func closes(t *testing.T, far io.Reader, n int) map[int32]bool {
	t.Helper()
	ids := map[int32]bool{}
	for range n {
		m := readFrame(t, far)
		require.Equal(t, codeClose, m.code)
		ids[m.channel] = true
	}
	require.Len(t, ids, n)
	return ids
}

func TestChannelsInItemsAreMadeWhenTheyAreNeeded(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	send(t, far, codeData, ch.core.id, naming(1000))
	send(t, far, codeData, ch.core.id, naming(2))
	send(t, far, codeClose, 103, nil)
	send(t, far, codeLastMessage, 105, nil)
	send(t, far, codeData, 107, []byte("RQ"))
	send(t, far, codeClose, 107, nil)
	send(t, far, codeCloseError, 109, errorPayload(errors.New("boom"), false))
	last, err := gw.newChannel()
	require.NoError(t, err)
	send(t, far, codeClose, last.core.id, nil)
	require.NoError(t, last.WaitClose(within.Soon(t)))
	gw.table.mu.Lock()
	assert.Len(t, gw.table.cores, 1)
	gw.table.mu.Unlock()
	assert.Equal(t, 1+1000-4, gw.table.open())

	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	made := v.(serializer.Tuple)
	for i, c := range made {
		_, err := c.(*Channel).Receive(instant(t))
		switch c.(*Channel).ID() {
		case 103, 105:
			assert.ErrorIs(t, err, io.EOF)
			assert.Equal(t, i == 1, c.(*Channel).IsClosed())
		case 107:
			require.NoError(t, err)
			_, err = c.(*Channel).Receive(within.Soon(t))
			assert.ErrorIs(t, err, io.EOF)
		case 109:
			assert.ErrorContains(t, err, "boom")
		}
	}
	v, err = ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Same(t, made[0], v.(serializer.Tuple)[0])
	assert.Same(t, made[1], v.(serializer.Tuple)[1], "also after its end")
	assert.Empty(t, gw.table.noted)
	assert.Zero(t, gw.table.unmade)
	runtime.KeepAlive(made)
}

func TestChannelsInItemsThatAreNotReceivedAreClosed(t *testing.T) {
	for name, drop := range map[string]func(t *testing.T, ch *Channel){
		"loaded without": func(t *testing.T, ch *Channel) {
			var n int
			require.Error(t, ch.ReceiveInto(within.Soon(t), &n))
		},
		"failing callback": func(t *testing.T, ch *Channel) {
			require.NoError(t, ch.SetCallback(func(any) error { return io.ErrClosedPipe }, NoEndmarker))
		},
	} {
		t.Run(name, func(t *testing.T) {
			gw, far := raw(t)
			ch, err := gw.newChannel()
			require.NoError(t, err)
			if name == "failing callback" {
				send(t, far, codeData, ch.core.id, []byte("LQ"))
			}
			send(t, far, codeData, ch.core.id, naming(500))
			require.Eventually(t, func() bool { return gw.table.knows(1099) }, 5*time.Second, time.Millisecond)
			drop(t, ch)
			if name == "failing callback" {
				assert.Equal(t, codeCloseError, readFrame(t, far).code)
			}
			closes(t, far, 500)
			assert.Empty(t, gw.table.noted)
		})
	}
	t.Run("dropped channel", func(t *testing.T) {
		gw, far := raw(t)
		ch, err := gw.newChannel()
		require.NoError(t, err)
		send(t, far, codeData, ch.core.id, naming(50))
		require.Eventually(t, func() bool { return gw.table.knows(199) }, 5*time.Second, time.Millisecond)
		ch = nil
		collect(t, func() bool { return !gw.table.knows(101) })
		assert.Contains(t, closes(t, far, 51), int32(1))
		runtime.KeepAlive(ch)
	})
}

func TestChannelsAreReceivedAfterTheGatewaysEnd(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	send(t, far, codeData, ch.core.id, naming(2))
	far.CloseWrite()
	<-gw.Done()
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	var died *GatewayDiedError
	_, err = v.(serializer.Tuple)[1].(*Channel).Receive(within.Soon(t))
	assert.ErrorAs(t, err, &died)
}

// An item that names too many channels is an error of its receiver, and its channels are closed.
func TestItemWithTooManyChannels(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	send(t, far, codeData, ch.core.id, naming(5000))
	closes(t, far, 5000)
	_, err = ch.Receive(within.Soon(t))
	assert.ErrorContains(t, err, "MaxCost")
	assert.Equal(t, 1, gw.table.open())
	send(t, far, codeData, ch.core.id, naming(1000))
	thousand, err := ch.Receive(within.Soon(t))
	assert.NoError(t, err, "a thousand are not too many")
	defer runtime.KeepAlive(thousand) // what is dropped closes itself
	closed, err := gw.newChannel()
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	assert.Equal(t, codeClose, readFrame(t, far).code)
	send(t, far, codeData, closed.core.id, naming(3000))
	closes(t, far, 3000-1000) // those of the first thousand are open
}

func TestMaxCostOfAGateway(t *testing.T) {
	gw, far := rawWith(t, Config{MaxCost: 1000})
	ch, err := gw.newChannel()
	require.NoError(t, err)
	send(t, far, codeData, ch.core.id, naming(5000))
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Len(t, v, 5000)
}

// An item that names a million channels costs no more than others, received or not.
func TestCostOfAMillionChannels(t *testing.T) {
	payload := naming(1_000_000)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	send(t, far, codeData, ch.core.id, payload)
	<-gw.Done() // the far end does not read that they are closed
	_, err = ch.Receive(within.Soon(t))
	assert.ErrorIs(t, err, errNotReading)
	runtime.ReadMemStats(&after)
	// This counts what is freed meanwhile, too, such as the closes that have been written.
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(36*len(payload)+1<<20))
}

func TestKillEndsLoading(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	var codec serializer.Codec
	payload, err := codec.Append(nil, make([]bool, 1_000_000))
	require.NoError(t, err)
	send(t, far, codeData, ch.core.id, payload)
	send(t, far, codeData, ch.core.id, []byte("RQ"))
	send(t, far, codeData, ch.core.id, naming(1))
	require.Eventually(t, func() bool { return gw.table.knows(101) }, 5*time.Second, time.Millisecond)
	require.NoError(t, gw.Kill())
	_, err = ch.Receive(within.Soon(t))
	assert.ErrorIs(t, err, ErrTerminated)
	var le *serializer.LoadError
	assert.ErrorAs(t, err, &le)
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err, "a small item is loaded at once")
	assert.Equal(t, true, v)
}
