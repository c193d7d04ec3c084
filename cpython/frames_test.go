package cpython

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/pipe"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

func TestFrames(t *testing.T) {
	_, ours, err := callPipes()
	require.NoError(t, err)
	ours.close()
	theirs, ours, err := callPipes()
	require.NoError(t, err)
	defer theirs.close()
	defer ours.close()
	w := frameWriter{out: ours.write}
	codec := &serializer.Codec{}
	values := []any{nil, "text", bytes.Repeat([]byte{1}, large), bytes.Repeat([]byte{2}, large+1), bytes.Repeat([]byte{3}, 9<<20)}
	go func() {
		for i, v := range values {
			assert.NoError(t, w.send(codec, codeResult, int32(i), v))
		}
		assert.Error(t, w.send(codec, codeResult, 9, func() {}), "it is not sent")
		w.sendBytes(codeCancel, 10, nil)
	}()
	in := bufio.NewReader(theirs.read)
	for i, want := range values {
		f, err := readFrame(in)
		require.NoError(t, err)
		assert.Equal(t, int32(i), f.number)
		got, err := codec.Load(f.payload)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	f, err := readFrame(in)
	require.NoError(t, err)
	assert.Equal(t, frame{codeCancel, 10, []byte{}}, f)
}

func TestFramesThatAreNone(t *testing.T) {
	_, err := readFrame(bufio.NewReader(bytes.NewReader([]byte{0, 0, 0, 0, 1, 0xff, 0, 0, 0})))
	assert.EqualError(t, err, "execnet: it is no frame of a call: its length is -16777216")
	_, err = readFrame(bufio.NewReader(bytes.NewReader([]byte{0, 0, 0})))
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = readFrame(bufio.NewReader(bytes.NewReader(nil)))
	assert.Equal(t, io.EOF, err)
	for _, b := range [][]byte{nil, make([]byte, 8), {0, 0, 0, 0, 1, 0, 0, 0, 1}, {0, 0, 0, 0, 1, 0, 0, 0, 0, 5}} {
		_, err := parseFrame(b)
		assert.Error(t, err, "% x", b)
	}
	f, err := parseFrame([]byte{0, 0, 0, 0, 1, 0, 0, 0, 1, 5})
	require.NoError(t, err)
	assert.Equal(t, frame{codeCall, 1, []byte{5}}, f)
}

// TestALengthTakesNoMemory reads a frame that promises 2 GiB and ends.
func TestALengthTakesNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readFrame(bufio.NewReader(bytes.NewReader([]byte{0, 0, 0, 0, 1, 0x7f, 0xff, 0xff, 0xff, 1, 2})))
	runtime.ReadMemStats(&after)
	assert.True(t, errors.Is(err, io.ErrUnexpectedEOF))
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(3*maxChunk))
}

// TestCloseEndsReading closes a pipe that is read, although somebody may still write to it.
func TestCloseEndsReading(t *testing.T) {
	theirs, ours, err := callPipes()
	require.NoError(t, err)
	defer theirs.close()
	ended := make(chan error, 1)
	go func() {
		_, err := readFrame(bufio.NewReader(ours.read))
		ended <- err
	}()
	_, err = theirs.write.Write([]byte{codeCall})
	require.NoError(t, err)
	require.Eventually(t, func() bool { return pipe.Buffered(ours.read) == 0 }, 10*time.Second, time.Millisecond)
	ours.close()
	select {
	case err := <-ended:
		assert.ErrorIs(t, err, os.ErrClosed)
	case <-within.Soon(t).Done():
		t.Fatal("it reads still")
	}

	// Nobody reads a pipe that is full.
	theirs, ours, err = callPipes()
	require.NoError(t, err)
	defer theirs.close()
	go func() { _, _ = theirs.write.Write(make([]byte, 1<<20)) }()
	for size := 0; size == 0 || size != pipe.Buffered(ours.read); time.Sleep(time.Millisecond) {
		size = pipe.Buffered(ours.read)
	}
	ours.close()
}
