package channeltest

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
)

var files = []test{
	{"a file written in the worker, read here", fileHere},
	{"a file written here, read in the worker", fileThere},
	{"closing a file with proxyclose", proxyClose},
}

func fileHere(t *testing.T, r *run) {
	ch := r.exec(t, `
f = channel.makefile("w")
f.write(u"first li")
f.write(u"ne\nsecond \xe9\n\n")
f.flush()
f.write(u"no newline")
f.close()
`)
	f := ch.MakeFileReader(t.Context())
	for _, want := range []string{"first line\n", "second é\n", "\n", "no newline"} {
		line, err := f.ReadLine()
		require.NoError(t, err)
		assert.Equal(t, want, line)
	}
	_, err := f.ReadLine()
	assert.Equal(t, io.EOF, err)

	ch = r.exec(t, `
import sys
before = sys.stdout
sys.stdout = f = channel.makefile("w", proxyclose=False)
try:
    print("printed to a channel")
finally:
    sys.stdout = before
assert not f.isatty()
`)
	text, err := io.ReadAll(ch.MakeFileReader(t.Context()))
	require.NoError(t, err)
	assert.Equal(t, "printed to a channel\n", string(text))

	ch = r.exec(t, "for i in range(1000): channel.send(b'line %d\\n' % i if str is not bytes else 'line %d\\n' % i)\n"+
		"raise ValueError('x')")
	lines := bufio.NewScanner(ch.MakeFileReader(t.Context()))
	n := 0
	for ; lines.Scan(); n++ {
		require.Equal(t, fmt.Sprintf("line %d", n), lines.Text())
	}
	assert.Equal(t, 1000, n)
	assert.ErrorContains(t, lines.Err(), "ValueError: x", "an error is no end of file")
}

func fileThere(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
f = sub.makefile("r")
channel.send((f.readline(), f.read(5), f.readline(), f.read(100), f.readline(), f.read(1)))
`)
	sub := r.newThere(t, ch)
	f := sub.MakeFileWriter(t.Context(), execnet.Text())
	n, err := io.Copy(f, strings.NewReader("first\n12345rest\nthe "))
	require.NoError(t, err)
	assert.EqualValues(t, 20, n)
	_, err = fmt.Fprint(f, "last")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.False(t, sub.IsClosed(), "without ProxyClose the channel stays open")
	require.NoError(t, sub.Close())
	assert.Equal(t, execnet.Tuple{"first\n", "12345", "rest\n", "the last", "", ""}, receive(t, ch))
	ends(t, ch)
}

func proxyClose(t *testing.T, r *run) {
	ch := r.exec(t, `
sub = channel.receive()
f = sub.makefile("w", proxyclose=True)
f.write(u"x")
f.close()
channel.send(sub.isclosed())
sub = channel.receive()
channel.send([item for item in sub])
`)
	sub := r.newThere(t, ch)
	text, err := io.ReadAll(sub.MakeFileReader(t.Context(), execnet.ProxyClose()))
	require.NoError(t, err)
	assert.Equal(t, "x", string(text))
	assert.Equal(t, true, receive(t, ch))

	sub = r.newThere(t, ch)
	f := sub.MakeFileWriter(t.Context(), execnet.ProxyClose(), execnet.Text())
	_, err = f.Write([]byte("y"))
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.True(t, sub.IsClosed())
	assert.Equal(t, []any{"y"}, receive(t, ch))
	ends(t, ch)
}
