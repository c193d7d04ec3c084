package gatewaybase

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// receiving executes "receive", which receives one item within the time that the driver gives it,
// beside what runner executes.
type receiving struct{ runner }

func (r receiving) Execute(e *Execution) {
	if e.Source != "receive" {
		r.runner.Execute(e)
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := e.Channel.Receive(ctx)
		e.End(err)
	}()
}

// living is a pipe to a process that lives until gone is closed.
type living struct {
	*pipes.Interruptible
	gone chan struct{}
}

func (l *living) Wait(ctx context.Context) error { return farend.Await(ctx, l.gone) }

// relayedTo connects a driver with a worker that runs what begins with "relay:" by a relay to near.
func relayedTo(t *testing.T, near IO) (driver, worker *Gateway) {
	t.Helper()
	a, b := pipes.Pair(t)
	var relay *Relay
	driver = New(a, Config{Spec: spec(t, "popen//id=driver"), Warnings: &textbuffer.Buffer{}})
	worker = New(b, Config{Spec: spec(t, "popen//id=worker"), Executor: receiving{}, Warnings: &textbuffer.Buffer{}, Route: func(g *Gateway, p Program) Route {
		if strings.HasPrefix(p.Source, "relay:") && relay == nil {
			var err error
			relay, err = NewRelay(g, func(int) IO { return near }, nil)
			require.NoError(t, err)
		}
		if strings.HasPrefix(p.Source, "relay:") {
			return Route{Relay: relay}
		}
		return Route{}
	}})
	return driver, worker
}

// Many channels echo at once, and nobody receives before everything is sent: all pipes are full, in
// both directions.
func TestRelayEchoesThroughFullPipes(t *testing.T) {
	t.Parallel()
	const channels, items, size = 16, 64, 64 << 10 // 64 MiB each way
	driver, _ := relayed(t)
	var all sync.WaitGroup
	for i := range channels {
		ch, err := driver.RemoteExec(t.Context(), "relay: echo")
		require.NoError(t, err)
		all.Go(func() {
			for j := range items {
				if !assert.NoError(t, ch.Send(within.Soon(t), fmt.Sprint(i, " ", j, strings.Repeat(".", size)))) {
					return
				}
			}
			assert.NoError(t, ch.CloseSend())
		})
		defer func() {
			for j := range items {
				got, err := Receive[string](within.Soon(t), ch)
				require.NoError(t, err)
				require.Equal(t, fmt.Sprint(i, " ", j, "."), got[:len(got)-size+1])
			}
			require.NoError(t, ch.WaitClose(within.Soon(t)))
		}()
	}
	all.Wait()
}

// If the relay's worker does not read, what waits for it is bounded, and then the driver waits. The
// context of a receiving function ends even so. When the driver is gone, the worker ends.
func TestRelayThatDoesNotRead(t *testing.T) {
	t.Parallel()
	near, far := pipes.Pair(t)
	driver, worker := relayedTo(t, near)
	ch, err := driver.RemoteExec(t.Context(), "relay: anything")
	require.NoError(t, err)
	waits, err := driver.RemoteExec(t.Context(), "receive")
	require.NoError(t, err)

	item := bytes.Repeat([]byte("x"), 1<<20)
	sent := 0
	for err == nil {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err = ch.Send(ctx, item)
		cancel()
		sent += len(item)
	}
	require.ErrorIs(t, err, ErrTimeout)
	assert.Greater(t, sent, maxPosted)
	assert.Less(t, sent, maxPosted+8<<20)
	relay := worker.relay.Load()
	relay.out.mu.Lock()
	assert.LessOrEqual(t, relay.out.posted, maxPosted+len(item)+2*frameCost+headerSize)
	relay.out.mu.Unlock()
	var remote *RemoteError
	require.ErrorAs(t, waits.WaitClose(within.Soon(t)), &remote, "the reader waits, and this is no matter of its")
	assert.Contains(t, remote.Formatted, "timeout")

	require.NoError(t, driver.Kill())
	select {
	case <-worker.Done():
	case <-within.Soon(t).Done():
		require.Fail(t, "the worker does not notice that its driver is gone")
	}
	require.NoError(t, far.CloseRead())
	require.NoError(t, far.CloseWrite())
	require.NoError(t, worker.Join(within.Soon(t)))
	require.NoError(t, driver.Join(within.Soon(t)))
}

// If the driver does not read, the relay's worker waits, and nothing collects in between.
func TestRelayToADriverThatDoesNotRead(t *testing.T) {
	t.Parallel()
	a, b := pipes.Pair(t)
	end, far := pipes.Pair(t)
	near := &living{end, make(chan struct{})}
	worker := New(b, Config{Spec: spec(t, "popen//id=worker"), Executor: runner{}, Warnings: &textbuffer.Buffer{}, Route: func(g *Gateway, _ Program) Route {
		relay, err := NewRelay(g, func(int) IO { return near }, nil)
		require.NoError(t, err)
		return Route{Relay: relay}
	}})
	program, err := worker.newCodec(defaultStrings).Append(nil, serializer.Tuple{"anything", nil, nil, serializer.NewDict()})
	require.NoError(t, err)
	_, err = a.Write(frameBytes(t, codeExec, 1, program))
	require.NoError(t, err)

	item := frameBytes(t, codeData, 1, append([]byte("A\x00\x10\x00\x00"), append(bytes.Repeat([]byte("x"), 1<<20), 'Q')...))
	written := 0
	full := make(chan struct{})
	go func() {
		defer close(full)
		for {
			n, err := far.Write(item)
			written += n
			if err != nil {
				return
			}
		}
	}()
	time.Sleep(300 * time.Millisecond) // in which much more than fits could be written

	// Now the driver is gone. The relay's worker cannot write, as a worker of the driver's own.
	require.NoError(t, a.CloseRead())
	select {
	case <-full:
	case <-within.Soon(t).Done():
		require.Fail(t, "the relay's worker still waits for the driver")
	}
	assert.Less(t, written, 4<<20)
	require.NoError(t, a.CloseWrite())
	assert.Equal(t, codeExec, readFrame(t, far).code)
	assert.Equal(t, codeTerminate, readFrame(t, far).code)
	close(near.gone)
	_, err = far.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the pipe was open as long as the relay's worker lived")
	require.NoError(t, worker.Join(within.Soon(t)))
}
