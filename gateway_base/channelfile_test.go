package gatewaybase

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFilesCarryBytesAndText(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	w := here.MakeFileWriter(t.Context(), ProxyClose())
	fmt.Fprintf(w, "one\ntw")
	_, err := w.WriteString("o\nthrée")
	require.NoError(t, err)
	require.NoError(t, w.Close())

	r := there.MakeFileReader(t.Context())
	for _, want := range []string{"one\n", "two\n", "thrée"} {
		line, err := r.ReadLine()
		require.NoError(t, err)
		assert.Equal(t, want, line)
	}
	_, err = r.ReadLine()
	assert.Equal(t, io.EOF, err)
	assert.True(t, there.IsClosed())
}

func TestFileTypesOnTheWire(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	_, err = ch.MakeFileWriter(t.Context()).Write([]byte("a"))
	require.NoError(t, err)
	assert.Equal(t, "A\x00\x00\x00\x01aQ", string(readFrame(t, far).payload))
	_, err = ch.MakeFileWriter(t.Context(), Text()).Write([]byte("a"))
	require.NoError(t, err)
	assert.Equal(t, "N\x00\x00\x00\x01aQ", string(readFrame(t, far).payload))
	require.NoError(t, ch.MakeFileWriter(t.Context()).Close())
	assert.False(t, ch.IsClosed())
}

func TestFileReaderIsAProperReader(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	want := strings.Repeat("0123456789", 1000)
	for chunk := range 100 {
		require.NoError(t, here.Send(t.Context(), []byte(want[chunk*100:(chunk+1)*100])))
		require.NoError(t, here.Send(t.Context(), ""))
	}
	require.NoError(t, here.Close())
	assert.NoError(t, iotest.TestReader(there.MakeFileReader(t.Context()), []byte(want)))
}

func TestFileReaderRefusesOtherItems(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, here.Send(t.Context(), 3))
	_, err := io.ReadAll(there.MakeFileReader(t.Context()))
	assert.ErrorContains(t, err, "can read str and bytes")
}
