package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// Gateway is a connection to another interpreter. Its methods may be used from any number of
// goroutines. It is execnet's Gateway.
type Gateway struct {
	id       string
	spec     *xspec.Spec
	io       IO
	executor Executor // nil at the driver
	warnings io.Writer
	tracer   *tracer
	out      *outbox
	reader   *reader
	table    channelTable
	codec    atomic.Pointer[serializer.Codec] // what a new channel starts with
	exiting  atomic.Bool                      // Exit was called: the far end's end is no surprise
	tasks    tasks
	finished chan struct{} // closed when nothing more will be received; died is set before
	died     error
	rinfo    rinfoCache
}

// Config is what New needs to know beside the pipe.
type Config struct {
	// Spec is what the gateway was made from; its ID names the gateway in errors, traces and
	// groups.
	Spec *xspec.Spec
	// Executor makes this the worker's end: it runs what the driver sends, and its own channels
	// have even ids (the driver's have odd ones). Nil makes it a driver's, which refuses to execute
	// anything.
	Executor Executor
	// Warnings takes a line for each remote error that nobody received; nil means os.Stderr.
	Warnings io.Writer
}

// New starts a gateway on a pipe whose far end has answered the bootstrap (protocol.md section 7).
// The gateway owns the pipe: it closes both directions when the far end ends, when Exit is called,
// or when what arrives is not the protocol.
func New(pipe IO, config Config) *Gateway {
	g := &Gateway{id: config.Spec.ID, spec: config.Spec, io: pipe, executor: config.Executor, warnings: config.Warnings, tracer: processTracer(), finished: make(chan struct{})}
	if g.warnings == nil {
		g.warnings = os.Stderr
	}
	g.tasks.idle = make(chan struct{})
	g.out = newOutbox(pipe, g.tasks.start)
	g.reader = newReader(g)
	first := int32(1)
	if config.Executor != nil {
		first = 2
	}
	g.table.init(g, first)
	g.codec.Store(g.newCodec(StrConfig{Py2StrAsPy3Str: true}))
	g.tasks.start(g.receive)
	return g
}

// ID is the gateway's name, unique in its group.
func (g *Gateway) ID() string { return g.id }

// Spec is what the gateway was made from. It is not to be changed.
func (g *Gateway) Spec() *xspec.Spec { return g.spec }

// ExitStatus is how the far end's process ended, as far as that is known by now: after Join it is,
// unless nobody can tell, as behind a socket.
func (g *Gateway) ExitStatus() Exit { return g.io.Exit() }

// RemoteAddress names the far end's host as the spec does, empty for a local process.
func (g *Gateway) RemoteAddress() string { return g.io.RemoteAddress() }

// BytesSent is how many bytes have been written to the pipe so far, messages' headers included. It
// tells that a large item is on its way while Send still waits.
func (g *Gateway) BytesSent() int64 { return g.out.bytes.Load() }

// String shows the gateway as execnet's repr does.
func (g *Gateway) String() string {
	state := "not-receiving"
	if g.HasReceiver() {
		state = "receive-live"
	}
	return fmt.Sprintf("<Gateway id='%s' %s, %d active channels>", g.id, state, g.table.open())
}

// HasReceiver reports whether the gateway can still receive data. It is execnet's
// Gateway.hasreceiver.
func (g *Gateway) HasReceiver() bool {
	select {
	case <-g.finished:
		return false
	default:
		return true
	}
}

// Done is closed when nothing more will be received: the far end has terminated the gateway, has
// ended, or has died. Err then tells which.
func (g *Gateway) Done() <-chan struct{} { return g.finished }

// NewChannel makes a channel that the other end does not know yet: send it over another one, or
// name its id there. After the gateway's end it reports ErrClosed or a GatewayDiedError. It is
// execnet's Gateway.newchannel.
func (g *Gateway) NewChannel() (*Channel, error) {
	c, err := g.table.allocate()
	if err != nil {
		return nil, err
	}
	return c.handle(), nil
}

// Exit asks the far end to end (GATEWAY_TERMINATE, then the end of the stream) and returns at once;
// what was sent before still goes out first. Join, or the group's Terminate, waits. It is execnet's
// Gateway.exit.
func (g *Gateway) Exit() {
	if g.exiting.Swap(true) {
		return
	}
	g.trace("--> sending GATEWAY_TERMINATE")
	// It fails only where the pipe is closed for writing already, which tells the far end the same.
	_ = g.post(codeTerminate, 0, nil)
	g.out.close()
}

// Exiting reports whether Exit or Kill was called: the gateway is no longer a member of its group.
func (g *Gateway) Exiting() bool { return g.exiting.Load() }

// Join waits until nothing is left of the gateway: it has received everything there is, its callbacks
// have returned, its goroutines have ended, and the far end's process is reaped. It returns ctx's
// error if ctx ends first. It does not make the far end go: see Exit. It is execnet's Gateway.join.
func (g *Gateway) Join(ctx context.Context) error {
	if farend.Await(ctx, g.tasks.idle) != nil || g.io.Wait(ctx) != nil {
		return timeout.During(ctx, "execnet: joining gateway "+g.id)
	}
	return nil
}

// Go runs f in a goroutine that Join waits for: f has to end soon after Done is closed. It is meant
// for what executions leave running behind them.
func (g *Gateway) Go(f func()) { g.tasks.start(f) }

// Kill ends the far end by force and at once, as execnet does when a group's terminate runs out of
// time.
func (g *Gateway) Kill() error {
	g.exiting.Store(true)
	err := g.io.Kill()
	// Whatever the far end's process does now, nothing here waits for it any more.
	g.out.fail(ErrClosed)
	g.io.CloseRead()
	return err
}

// Err tells how the gateway ended: nil while it lives and after an orderly end, a GatewayDiedError
// otherwise, or why it never started.
func (g *Gateway) Err() error {
	if g.HasReceiver() {
		return nil
	}
	return g.died
}

func (g *Gateway) trace(words ...any) { g.tracer.trace(g.id, words...) }

// receive reads messages until the stream ends, then ends every channel.
func (g *Gateway) receive() {
	g.trace("[receiver] starting to run")
	err := g.reader.run()
	g.died = g.verdict(err)
	g.trace("[receiver] finished:", err, g.died)
	close(g.finished)
	g.table.finish(g.died)
	if g.executor != nil {
		g.executor.Finish()
		g.out.close()
	} else {
		g.out.fail(g.ended(ErrClosed))
	}
	g.io.CloseRead()
}

// deathNotice is how long the end of the stream waits for news of the process behind it.
const deathNotice = 60 * time.Millisecond

// lastWords is how long the end of the stream may be behind a pipe that breaks. It comes at once
// unless the far end has only stopped reading.
const lastWords = 5 * time.Second

// verdict turns the reason for which receiving ended into what the gateway's users are told: nil
// for an orderly end.
func (g *Gateway) verdict(err error) error {
	if errors.Is(err, errTerminated) || g.exiting.Load() {
		return nil
	}
	if g.executor != nil && errors.Is(err, io.EOF) {
		return nil // a worker's driver may just go (protocol.md section 8.2)
	}
	var notStarted *farend.NotStartedError
	if errors.As(err, &notStarted) {
		return notStarted.Err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	ctx, cancel := context.WithTimeout(context.Background(), deathNotice)
	defer cancel()
	// Not knowing in time is an answer as well: Exit then says so.
	_ = g.io.Wait(ctx)
	return &GatewayDiedError{ID: g.id, Exit: g.io.Exit(), Err: err}
}

// ended is what a call on an ended gateway reports: the death if it died, otherwise otherwise.
func (g *Gateway) ended(otherwise error) error {
	if err := g.Err(); err != nil {
		return err
	}
	return otherwise
}

// send writes one message and waits for that.
func (g *Gateway) send(ctx context.Context, c code, channel int32, f *frame) error {
	if err := putHeader(f.bytes, c, channel); err != nil {
		return err
	}
	if g.tracer != nil {
		g.trace("sending", message{c, channel, f.bytes[headerSize:]})
	}
	err := g.out.send(ctx, f)
	if err == nil || ctx.Err() != nil {
		return err
	}
	g.trace("failed to send", err)
	// The pipe breaks a moment before the reader knows how the far end ended, a long one on a busy
	// machine.
	limit := lastWords
	if errors.Is(err, ErrClosed) {
		limit = 2 * deathNotice // it was closed here
	}
	select {
	case <-g.finished:
	case <-time.After(limit):
	}
	return g.ended(fmt.Errorf("execnet: cannot send to gateway %s: %w", g.id, err))
}

// post writes one message without waiting for that. payload may be nil.
func (g *Gateway) post(c code, channel int32, payload []byte) error {
	f := newFrame()
	f.bytes = append(f.bytes, payload...)
	if err := putHeader(f.bytes, c, channel); err != nil {
		return err
	}
	if g.tracer != nil {
		g.trace("sending", message{c, channel, payload})
	}
	return g.out.post(f)
}

// tasks are the goroutines a gateway has started. The first one is the receiver; when the last has
// ended, idle closes.
type tasks struct {
	mu    sync.Mutex // guards count and ended
	count int
	ended bool
	idle  chan struct{}
}

// start runs f in a goroutine that Join waits for.
func (t *tasks) start(f func()) {
	t.mu.Lock()
	t.count++
	t.mu.Unlock()
	go func() {
		defer t.end()
		f()
	}()
}

func (t *tasks) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count--
	if t.count == 0 && !t.ended {
		t.ended = true
		close(t.idle)
	}
}
