package serializer_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/serializer"
)

func TestStreamOfValues(t *testing.T) {
	var buf bytes.Buffer
	for _, g := range golden {
		require.NoError(t, serializer.Dump(&buf, g.value))
	}
	big := strings.Repeat("x", 300<<10)
	require.NoError(t, serializer.Dump(&buf, big))
	buf.WriteString("rest")
	for _, r := range []io.Reader{bytes.NewReader(buf.Bytes()), iotest.OneByteReader(bytes.NewReader(buf.Bytes()))} {
		for _, g := range golden {
			v, err := serializer.Load(r)
			require.NoError(t, err)
			require.Equal(t, canonical(g.value), canonical(v))
		}
		v, err := serializer.Load(r)
		require.NoError(t, err)
		require.Equal(t, big, v)
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		assert.Equal(t, "rest", string(rest), "nothing beyond the values is read")
	}
}

func TestStreamErrors(t *testing.T) {
	_, err := serializer.Load(strings.NewReader(""))
	assert.Equal(t, io.EOF, err)

	broken := errors.New("broken pipe")
	_, err = serializer.Load(iotest.ErrReader(broken))
	assert.ErrorIs(t, err, broken)

	var le *serializer.LoadError
	for _, g := range golden {
		for cut := 1; cut < len(g.dump); cut++ {
			_, err := serializer.Load(strings.NewReader(g.dump[:cut]))
			require.ErrorAs(t, err, &le)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
	for data, says := range map[string]string{
		"\x03LQ":                         "version 3",
		"\x02LxQ":                        "unknown opcode",
		"\x02" + n32('N', -1):            "negative length",
		"\x02" + n32('A', 1<<31-1) + "x": "more than",
		"\x02LLQ":                        "STOP with 2 values",
	} {
		_, err := serializer.Load(strings.NewReader(data), serializer.MaxBytes(1000))
		require.ErrorAs(t, err, &le)
		assert.ErrorContains(t, err, says)
	}
	assert.ErrorIs(t, serializer.Dump(failingWriter{broken}, 1), broken)
	var de *serializer.DumpError
	assert.ErrorAs(t, serializer.Dump(failingWriter{broken}, func() {}), &de)
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

// The internal form's data is handed over, the public form's is not.
func TestSharing(t *testing.T) {
	payload := bytes.Repeat([]byte("x"), 1<<20)
	data, err := new(serializer.Codec).Append(nil, payload)
	require.NoError(t, err)
	v, err := new(serializer.Codec).Load(data)
	require.NoError(t, err)
	assert.Same(t, &data[5], &v.([]byte)[0])
	assert.Equal(t, cap(data)-5, cap(v.([]byte)), "it has what is left of the memory")
	inside, err := new(serializer.Codec).Append(nil, serializer.Tuple{payload, payload})
	require.NoError(t, err)
	v, err = new(serializer.Codec).Load(inside)
	require.NoError(t, err)
	for _, part := range v.(serializer.Tuple) {
		assert.Equal(t, len(payload), cap(part.([]byte)), "something else follows")
	}

	public, err := serializer.Dumps(payload)
	require.NoError(t, err)
	v, err = serializer.Loads(public)
	require.NoError(t, err)
	clear(public)
	assert.Equal(t, payload, v)
	var typed []byte
	require.NoError(t, new(serializer.Codec).Unmarshal(data, &typed))
	assert.Same(t, &data[5], &typed[0])
}

func TestLoadReadsTheFormOfExecnet19(t *testing.T) {
	v, err := serializer.Loads([]byte("\x01N\x00\x00\x00\x01aQ"))
	require.NoError(t, err)
	assert.Equal(t, "a", v)
	v, err = serializer.Load(strings.NewReader("\x01LQ"))
	require.NoError(t, err)
	assert.Nil(t, v)
}
