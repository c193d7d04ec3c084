package gatewaybase

import (
	"encoding/binary"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// TestHostileAnswers plays a far end that answers calls with what no worker sends. Each call gets
// an error, and the next call is served.
func TestHostileAnswers(t *testing.T) {
	gw, far := raw(t)
	dump := func(v any) []byte {
		payload, err := new(serializer.Codec).Append(nil, v)
		require.NoError(t, err)
		return payload
	}
	tail := func(payload []byte, n byte) []byte { // says that the tuple has n elements
		payload[len(payload)-2] = n
		return payload
	}
	// A call, and its number.
	var channel int32
	call := func() (result chan error, number int64) {
		result = make(chan error, 1)
		go func() {
			n, err := RemoteCall[int](within.Soon(t), gw, "module.function")
			if err == nil {
				assert.Equal(t, 7, n)
			}
			result <- err
		}()
		m := readFrame(t, far)
		if m.code == codeExec {
			channel = m.channel
			_, err := far.Write(frameBytes(t, codeData, channel, dump(true)))
			require.NoError(t, err)
			m = readFrame(t, far)
		}
		require.Equal(t, codeData, m.code)
		v, err := new(serializer.Codec).Load(m.payload)
		require.NoError(t, err)
		return result, v.(serializer.Tuple)[0].(int64)
	}
	for name, test := range map[string]struct {
		answer func(number int64) []byte
		want   string
	}{
		"no such value": {func(n int64) []byte { return append(dump(serializer.Tuple{n, 1})[:5], "\xff@\x00\x00\x00\x02Q"...) }, "opcode"},
		"cut value": {func(n int64) []byte {
			return append(dump(serializer.Tuple{n, 1})[:5], "N\x00\x00\x00\x09a@\x00\x00\x00\x02Q"...)
		}, "execnet: "},
		"another type":   {func(n int64) []byte { return dump(serializer.Tuple{n, "text"}) }, "execnet: "},
		"four elements":  {func(n int64) []byte { return dump(serializer.Tuple{n, 1, 2, 3}) }, "instead of a tuple"},
		"a wrong number": {func(n int64) []byte { return tail(dump(serializer.Tuple{n, 1}), 9) }, "execnet: "},
		"an odd error":   {func(n int64) []byte { return dump(serializer.Tuple{n, 5, []any{1}}) }, "5"},
		"two values":     {func(n int64) []byte { return tail(dump(serializer.Tuple{n, 1, 2}), 2) }, "execnet: "},
		"nothing at all": {func(n int64) []byte { return append(dump(serializer.Tuple{n, 1})[:5], "@\x00\x00\x00\x02Q"...) }, "execnet: "},
		"far too costly ": {func(n int64) []byte {
			return append(dump(serializer.Tuple{n, 1})[:5], "K\x7f\xff\xff\xff@\x00\x00\x00\x02Q"...)
		}, "execnet: "},
	} {
		result, number := call()
		for _, nobodys := range [][]byte{nil, {}, []byte("F"), dump("text"), dump(serializer.Tuple{number + 1000, 1}), dump(serializer.Tuple{int64(1) << 40, 1})} {
			_, err := far.Write(frameBytes(t, codeData, channel, nobodys))
			require.NoError(t, err)
		}
		_, err := far.Write(frameBytes(t, codeData, channel, test.answer(number)))
		require.NoError(t, err)
		require.ErrorContains(t, <-result, test.want, name)

		result, number = call()
		_, err = far.Write(frameBytes(t, codeData, channel, dump(serializer.Tuple{number, 7})))
		require.NoError(t, err)
		require.NoError(t, <-result, name)
	}
}

// TestHostileIteration plays a far end that takes no heed of the window.
func TestHostileIteration(t *testing.T) {
	gw, far := raw(t)
	write := func(c code, channel int32, v any) {
		payload, err := new(serializer.Codec).Append(nil, v)
		assert.NoError(t, err)
		_, _ = far.Write(frameBytes(t, c, channel, payload)) // it fails when the gateway has ended
	}
	var playing sync.WaitGroup
	playing.Go(func() {
		calls := readFrame(t, far).channel
		write(codeData, calls, true)
		request := readFrame(t, far).payload
		write(codeData, calls, serializer.Tuple{int64(binary.BigEndian.Uint32(request[1:])), nil})
		for i := range 2 * streamItems {
			write(codeData, calls+2, i)
		}
	})
	taken := 0
	var failed error
	for item, err := range RemoteIter[int](within.Soon(t), gw, "module.function") {
		if err != nil {
			failed = err
			break
		}
		require.Equal(t, taken, item)
		if taken++; taken == 1 {
			<-gw.Done()
		}
	}
	require.ErrorContains(t, failed, "items of an iteration that nobody has taken")
	assert.LessOrEqual(t, taken, streamItems+1)
	playing.Wait()
}
