package native

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// proxyText has what execnet's forwarder is recognised by.
const proxyText = `
class Popen2IOMaster(object): pass
def popen_args(spec): pass
def create_io(spec): pass
class ProxyIO(object): pass
class PseudoSpec(object): pass
def serve_proxy_io(channel): pass
if __name__ == "__channelexec__":
    serve_proxy_io(channel)
`

// executeProxy begins execnet's forwarder with the fields of a spec.
func executeProxy(t *testing.T, driver *gatewaybase.Gateway, spec any) (io, control *gatewaybase.Channel) {
	t.Helper()
	control, err := driver.NewChannel()
	require.NoError(t, err)
	io, err = driver.RemoteExec(t.Context(), proxyText, gatewaybase.File("x/"+proxyModule.file, 1))
	require.NoError(t, err)
	require.NoError(t, io.Send(t.Context(), spec))
	return io, control
}

func TestProxyRefusesWhatItDoesNotKnow(t *testing.T) {
	driver, _ := connect(t)
	python := serializer.NewDict("popen", true, "python", pythons.Default(t).Path)
	for want, test := range map[string]struct{ spec, second, third, order any }{
		"dict of a spec":             {spec: "popen"},
		"the control channel":        {spec: python, second: "control"},
		"popen, ssh or vagrant":      {spec: serializer.NewDict("socket", "localhost:1"), third: []byte("'line'\n")},
		"OSError: cannot start":      {spec: serializer.NewDict("popen", true, "python", "no-such-python"), third: []byte("'line'\n")},
		"expected bytes for the sub": {spec: python, third: 5},
	} {
		io, control := executeProxy(t, driver, test.spec)
		if test.second == nil {
			test.second = control
		}
		// The proxy may have refused what came before and closed the channel.
		_ = io.Send(t.Context(), test.second)
		if test.third != nil {
			_ = io.Send(t.Context(), test.third)
		}
		assert.ErrorContains(t, io.WaitClose(within.Soon(t)), want)
	}
	for _, order := range []any{5, "kill", nil, []any{1}} {
		io, control := executeProxy(t, driver, python)
		require.NoError(t, io.Send(t.Context(), control))
		require.NoError(t, control.Send(t.Context(), order))
		assert.ErrorContains(t, control.WaitClose(within.Soon(t)), "asks a forwarder for nothing")
		require.NoError(t, io.Close())
	}
}

// TestProxyTakesThePython2sStrings sends what execnet sends from a Python 2: the values of the dict
// and the bytes are text.
func TestProxyTakesThePython2sStrings(t *testing.T) {
	driver, _ := connect(t)
	io, control := executeProxy(t, driver, serializer.NewDict("popen", "yes", "python", []byte(pythons.Default(t).Path)))
	require.NoError(t, io.Send(t.Context(), control))
	require.NoError(t, io.Send(t.Context(), "'import os; os.write(1, b\"1\" + bytes(bytearray([4, 0, 0, 0, 1, 0, 0, 0, 1, 255])))'\n"))
	var got []byte
	for item, err := range io.Items(within.Soon(t)) {
		require.NoError(t, err)
		got = append(got, item.([]byte)...)
	}
	assert.Equal(t, []byte{'1', 4, 0, 0, 0, 1, 0, 0, 0, 1, 255}, got)
	require.NoError(t, control.Send(t.Context(), rioWait))
	status, err := control.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, int64(0), status)

	for text, want := range map[string][]byte{"": nil, "a\xc3\xa9\u00ff": {'a', 0xe9, 0xff}} {
		data, ok := bytesOf(text)
		assert.True(t, ok)
		assert.Equal(t, want, data)
	}
	_, ok := bytesOf("\u0100")
	assert.False(t, ok)
}

// TestProxyClosesBehindWhatWasSent has the order to close the sub's input overtake the input.
func TestProxyClosesBehindWhatWasSent(t *testing.T) {
	driver, _ := connect(t)
	const program = "1 if __import__('os').write(1, b'1') else 0; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(bytes([4, 0, 0, 0, 1, 0, 0, 0, 4]) + len(d).to_bytes(4, 'big'))"
	io, control := executeProxy(t, driver, serializer.NewDict("popen", true,
		"python", pythons.Default(t).Path+` -c "import sys; `+program+`"`))
	require.NoError(t, io.Send(t.Context(), control))
	const size, count = 300_000, 10
	for range count {
		require.NoError(t, io.Send(t.Context(), make([]byte, size)))
	}
	require.NoError(t, control.Send(t.Context(), rioCloseWrite))
	var got []byte
	for item, err := range io.Items(within.Soon(t)) {
		require.NoError(t, err)
		got = append(got, item.([]byte)...)
	}
	require.Len(t, got, 1+9+4)
	assert.Equal(t, size*count, int(got[10])<<24|int(got[11])<<16|int(got[12])<<8|int(got[13]))
}

// setUpProgram has what the set-up is recognised by.
const setUpProgram = `
import os
path, nice, env = channel.receive()
if path: os.mkdir(path)
os.chdir(path)
os.environ
`

func TestSetUpRefusesWhatItDoesNotKnow(t *testing.T) {
	driver, _ := connect(t)
	folder, err := os.Getwd()
	require.NoError(t, err)
	none := serializer.NewDict()
	for want, item := range map[string]any{
		"(chdir, nice, env)":   serializer.Tuple{nil, 0},
		"chdir as str":         serializer.Tuple{1, 0, none},
		"nice as int":          serializer.Tuple{nil, "1", none},
		"env as dict, got":     serializer.Tuple{nil, 0, nil},
		"env as dict of str":   serializer.Tuple{nil, 0, serializer.NewDict("A", nil)},
		"invalid argument":     serializer.Tuple{nil, 0, serializer.NewDict("A=B", "c")},
		"not a directory":      serializer.Tuple{os.Args[0] + "/x", 0, none},
		"no such file or dire": serializer.Tuple{folder + "/no/such", 0, none},
	} {
		ch, err := driver.RemoteExec(t.Context(), setUpProgram)
		require.NoError(t, err)
		require.NoError(t, ch.Send(t.Context(), item))
		assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), want)
	}
	ch, err := driver.RemoteExec(t.Context(), setUpProgram)
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), serializer.Tuple{"", 0, none}))
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	now, err := os.Getwd()
	require.NoError(t, err)
	assert.Equal(t, folder, now)
}
