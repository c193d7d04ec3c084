package gatewaybase

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

func TestRemoteStatusOfThisEnd(t *testing.T) {
	driver, worker, _ := pair(t)
	here, _ := twoEnds(t, driver, worker)
	status, err := worker.RemoteStatus(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, RemoteStatus{NumChannels: 1, ExecModel: "thread"}, status)
	assert.Equal(t, 1, worker.table.open(), "only %v", here)
}

func TestExecutionIsDisallowedHere(t *testing.T) {
	_, worker, _ := pair(t)
	ch, err := worker.RemoteExec(t.Context(), "pass")
	require.NoError(t, err)
	assert.EqualError(t, ch.WaitClose(within.Soon(t)), "execution disallowed")
}

func TestRemoteExecOnTheWire(t *testing.T) {
	gw, far := raw(t)
	var codec serializer.Codec
	exec := func(source string, options ...ExecOption) any {
		ch, err := gw.RemoteExec(t.Context(), source, options...)
		require.NoError(t, err)
		m := readFrame(t, far)
		assert.Equal(t, codeExec, m.code)
		assert.Equal(t, int32(ch.ID()), m.channel)
		v, err := codec.Load(m.payload)
		require.NoError(t, err)
		require.NoError(t, ch.Close())
		assert.Equal(t, codeClose, readFrame(t, far).code)
		return v
	}
	assert.Equal(t, serializer.Tuple{"\nx = 1\nif x:\n    y\n\nz\n", nil, nil, serializer.NewDict()},
		exec("\n\t\tx = 1\n\t\tif x:\n\t\t    y\n   \n\t\tz\n"))
	assert.Equal(t, serializer.Tuple{"\n\ndef f(channel, n): pass", "a.py", "f", serializer.NewDict("n", int64(3))},
		exec("def f(channel, n): pass", File("a.py", 3), Call("f", map[string]any{"n": 3})))
}

func TestRemoteExecRefusesWhatCannotWork(t *testing.T) {
	gw, _ := raw(t)
	for _, test := range []struct {
		source string
		option ExecOption
		want   string
	}{
		{"pass", Call("", map[string]any{"n": 1}), "need the name of a function"},
		{"def f(x): pass", Call("f", nil), "must be named channel"},
		{"def f(): pass", Call("f", nil), "must be named channel"},
		{"def g(channel): pass", Call("f", nil), "does not define the function f"},
		{"def f(channel): pass", Call("f()", nil), "not the name of a Python function"},
		{"def f(channel, n): pass", Call("f", map[string]any{"n": func() {}}), "func()"},
	} {
		_, err := gw.RemoteExec(t.Context(), test.source, test.option)
		assert.ErrorContains(t, err, test.want, test.source)
	}
	_, err := gw.RemoteExecFile(t.Context(), "no such file.py")
	assert.ErrorContains(t, err, "no such file.py")
	assert.Zero(t, gw.table.open())
}

func TestExitTellsAndEndsInOrder(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), 1))
	gw.Exit()
	gw.Exit()
	assert.Equal(t, codeData, readFrame(t, far).code)
	assert.Equal(t, codeTerminate, readFrame(t, far).code)
	_, err = far.Read(make([]byte, 1))
	assert.Equal(t, io.EOF, err)
	far.CloseWrite()
	require.NoError(t, gw.Join(within.Soon(t)))
	assert.False(t, gw.HasReceiver())
	assert.NoError(t, gw.Err())
	_, err = ch.Receive(within.Soon(t))
	assert.ErrorIs(t, err, ErrTerminated, "an end that was asked for is no death, and no success")
	assert.ErrorIs(t, ch.WaitClose(within.Soon(t)), ErrTerminated)
	assert.ErrorIs(t, ch.Send(t.Context(), 2), ErrClosed)
	_, err = gw.newChannel()
	assert.ErrorIs(t, err, ErrClosed)
}

func TestDeathFailsEveryCall(t *testing.T) {
	a, far := pipes.Pair(t)
	a.Result = Exit{Known: true, Code: -1, Signal: syscall.SIGKILL, Stderr: "Fatal Python error\n"}
	gw := New(a, Config{Spec: spec(t, "popen//id=gw7")})
	ch, err := gw.newChannel()
	require.NoError(t, err)
	closed, err := gw.newChannel()
	require.NoError(t, err)
	_, err = far.Write(frameBytes(t, codeData, 1, []byte("F\x00\x00\x00\x05Q")))
	require.NoError(t, err)
	_, err = far.Write(frameBytes(t, codeClose, 3, nil))
	require.NoError(t, err)

	fails := make(chan error, 2)
	go func() { fails <- ch.WaitClose(within.Soon(t)) }()
	go func() { _, err := gw.RemoteStatus(within.Soon(t)); fails <- err }()
	_ = readFrame(t, far) // the status request: that call is waiting
	far.CloseWrite()
	far.CloseRead()

	var died *GatewayDiedError
	for range 2 {
		require.ErrorAs(t, <-fails, &died)
		assert.Equal(t, "gw7", died.ID)
		assert.Equal(t, syscall.SIGKILL, died.Exit.Signal)
		assert.ErrorIs(t, died, io.ErrUnexpectedEOF)
		assert.NotErrorIs(t, died, io.EOF)
		assert.ErrorContains(t, died, "gateway gw7 died (signal: killed); its stderr ended:\n  Fatal Python error")
	}
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err, "what came before the death is there")
	assert.Equal(t, int64(5), v)
	_, err = ch.Receive(within.Soon(t))
	assert.ErrorAs(t, err, &died)
	_, err = closed.Receive(within.Soon(t))
	assert.Equal(t, io.EOF, err, "a channel closed before the death ended well")
	assert.ErrorAs(t, ch.Send(t.Context(), 1), &died)
	_, err = gw.RemoteExec(t.Context(), "pass")
	assert.ErrorAs(t, err, &died)
	require.NoError(t, gw.Join(within.Soon(t)))
	assert.ErrorAs(t, gw.Err(), &died)
}

func TestWhatIsNotTheProtocolEndsTheGateway(t *testing.T) {
	for name, test := range map[string]struct{ bytes, want string }{
		"text":            {hex.EncodeToString([]byte("Hello from a banner\n")), "unknown message code 72"},
		"negative length": {"04" + "00000001" + "ffffffff", "negative payload length"},
		"cut header":      {"0400", "died: the stream ended within a message"},
		"cut payload":     {"04" + "00000001" + "00000010" + "41", "died: the stream ended within a message"},
		"huge length":     {"04" + "00000001" + "7fffffff" + "41", "died"},
		"bad reconfigure": {"01" + "00000000" + "00000002" + "4c51", "RECONFIGURE"},
	} {
		t.Run(name, func(t *testing.T) {
			gw, far := raw(t)
			ch, err := gw.newChannel()
			require.NoError(t, err)
			b, err := hex.DecodeString(test.bytes)
			require.NoError(t, err)
			_, err = far.Write(b)
			require.NoError(t, err)
			far.CloseWrite()
			_, err = ch.Receive(within.Soon(t))
			var died *GatewayDiedError
			require.ErrorAs(t, err, &died)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestUnreadableItemIsItsReceiversError(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	for _, payload := range []string{"?Q", "B", "K\x7f\xff\xff\xffQ", "LL", "RQ"} {
		_, err = far.Write(frameBytes(t, codeData, 1, []byte(payload)))
		require.NoError(t, err)
	}
	for range 4 {
		_, err = ch.Receive(within.Soon(t))
		var load *serializer.LoadError
		require.ErrorAs(t, err, &load)
	}
	v, err := ch.Receive(within.Soon(t))
	require.NoError(t, err, "the stream goes on")
	assert.Equal(t, true, v)
}

func TestDataForUnknownChannelsIsDropped(t *testing.T) {
	gw, far := raw(t)
	for _, c := range []code{codeData, codeClose, codeLastMessage} {
		_, err := far.Write(frameBytes(t, c, 99, []byte("LQ")))
		require.NoError(t, err)
	}
	_, err := far.Write(frameBytes(t, codeStatus, 98, nil))
	require.NoError(t, err)
	m := readFrame(t, far)
	assert.Equal(t, codeData, m.code)
	assert.Equal(t, int32(98), m.channel)
	assert.Equal(t, codeClose, readFrame(t, far).code)
	assert.Zero(t, gw.table.open())
}

func TestSendContextGivesUpOnAStuckPipe(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	sent := make(chan error, 1)
	go func() { sent <- ch.Send(ctx, make([]byte, 8<<20)) }()
	header := make([]byte, headerSize)
	_, err = io.ReadFull(far, header)
	require.NoError(t, err)
	cancel()
	assert.ErrorIs(t, <-sent, context.Canceled)
	assert.ErrorIs(t, ch.Send(ctx, "behind it"), context.Canceled)
	late, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	assert.ErrorIs(t, ch.Send(late, "behind it"), ErrTimeout)
	// The first was under way and arrives whole; the others were withdrawn.
	go func() { sent <- ch.Send(t.Context(), "fourth") }()
	_, err = io.CopyN(io.Discard, far, 8<<20+6)
	require.NoError(t, err)
	assert.Equal(t, "N\x00\x00\x00\x06fourthQ", string(readFrame(t, far).payload))
	assert.NoError(t, <-sent)
}

// TestSendKeepsNothingOfTheCallers: when Send has returned, also with an error in the middle of a
// large item, its caller may change the item. What was under way arrives as it was.
func TestSendKeepsNothingOfTheCallers(t *testing.T) {
	for _, interruptible := range []bool{true, false} {
		a, far := pipes.Pair(t)
		var near IO = a
		if !interruptible {
			near = &a.End
		}
		gw := New(near, Config{Spec: spec(t, "popen//id=gw0")})
		ch, err := gw.newChannel()
		require.NoError(t, err)
		item := make([]byte, 8<<20)
		for i := range item {
			item[i] = byte(i / 1000)
		}
		want := frameBytes(t, codeData, ch.core.id, append(append([]byte("A\x00\x80\x00\x00"), item...), 'Q'))
		ctx, cancel := context.WithCancel(t.Context())
		sent := make(chan error, 1)
		go func() { sent <- ch.Send(ctx, item) }()
		got := make([]byte, len(want))
		_, err = io.ReadFull(far, got[:1<<20])
		require.NoError(t, err)
		cancel()
		require.ErrorIs(t, <-sent, context.Canceled)
		clear(item)
		_, err = io.ReadFull(far, got[1<<20:])
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, got))

		far.CloseWrite()
		gw.Exit()
		far.CloseRead()
		require.NoError(t, gw.Join(within.Soon(t)))
	}
}

func TestKillFreesABlockedSend(t *testing.T) {
	gw, _ := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	failed := make(chan error, 1)
	go func() { failed <- ch.Send(t.Context(), make([]byte, 8<<20)) }()
	time.Sleep(10 * time.Millisecond) // either order is fine; this one is the interesting one
	require.NoError(t, gw.Kill())
	assert.ErrorIs(t, <-failed, ErrClosed)
	require.NoError(t, gw.Join(within.Soon(t)))
}

func TestFarEndThatSendsAndDoesNotRead(t *testing.T) {
	gw, far := raw(t)
	ask := frameBytes(t, codeStatus, math.MaxInt32, nil)
	many := []byte(strings.Repeat(string(ask), 4096))
	var err error
	asked := 0
	for ; err == nil; asked += 4096 {
		_, err = far.Write(many)
	}
	require.NoError(t, gw.Join(within.Soon(t)))
	assert.ErrorIs(t, gw.Err(), errNotReading)
	inPipe := 1 << 20 / len(ask)
	assert.Less(t, asked, maxPosted/(2*frameCost)+inPipe+2*4096, "each of two answers costs more than its bytes")
}

func TestTerminateFromTheFarEnd(t *testing.T) {
	gw, far := raw(t)
	ch, err := gw.newChannel()
	require.NoError(t, err)
	_, err = far.Write(frameBytes(t, codeTerminate, 0, nil))
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	assert.ErrorIs(t, err, ErrTerminated)
	require.NoError(t, gw.Join(within.Soon(t)))
	assert.NoError(t, gw.Err())
}

func TestDedent(t *testing.T) {
	for in, want := range map[string]string{
		"a\nb":                 "a\nb",
		"  a\n    b\n  c":      "a\n  b\nc",
		"\t a\n\t b\n":         "a\nb\n",
		"  a\n\tb":             "  a\n\tb",
		"   \n  a\n \n  b\n  ": "\na\n\nb\n",
		"  \ta\n   b":          "\ta\n b",
	} {
		assert.Equal(t, want, dedent(in), "%q", in)
	}
}

func TestErrTimeoutIsANetStyleTimeout(t *testing.T) {
	var timeout interface{ Timeout() bool }
	require.True(t, errors.As(ErrTimeout, &timeout))
	assert.True(t, timeout.Timeout())
}

// TestLongErrorsAreCut closes a channel with more text than travels.
func TestLongErrorsAreCut(t *testing.T) {
	driver, worker, _ := pair(t)
	here, there := twoEnds(t, driver, worker)
	require.NoError(t, there.CloseWithError(errors.New("begin "+strings.Repeat("x", 17<<20)+" end")))
	var raised *RemoteError
	require.ErrorAs(t, here.WaitClose(within.Soon(t)), &raised)
	assert.True(t, strings.HasPrefix(raised.Formatted, "begin xxx"))
	assert.True(t, strings.HasSuffix(raised.Formatted, "xxx end"))
	assert.Contains(t, raised.Formatted, "[... 16777226 bytes are left out here ...]")
	assert.Less(t, len(raised.Formatted), maxErrorText+100)
}

// TestClosesAreNeverDropped posts more closes than answers may wait.
func TestClosesAreNeverDropped(t *testing.T) {
	gw, far := raw(t)
	const n = 40
	text := errors.New(strings.Repeat("x", maxErrorText))
	for range n { // nobody reads
		ch, err := gw.newChannel()
		require.NoError(t, err)
		require.NoError(t, ch.CloseWithError(text))
	}
	for i := range n {
		m := readFrame(t, far)
		assert.Equal(t, codeCloseError, m.code)
		assert.EqualValues(t, 2*i+1, m.channel)
	}
	assert.NoError(t, gw.Err())
}
