package gatewaybase

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/errtext"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// Gateway is a connection to another interpreter, or to a Go worker. Its methods may be used from
// any number of goroutines. It is execnet's Gateway.
type Gateway struct {
	id       string
	spec     *xspec.Spec
	io       IO
	executor Executor // nil at the driver
	route    func(*Gateway, Program) Route
	aside    func(g *Gateway, item any, size int)
	atEnd    func()
	ofRelay  func(item any, size int, confirm func(n int))
	warnings *farend.Outlet
	// describe says that the far end knows errors with their class: see errorPayload.
	describe bool
	tracer   *tracer
	out      *outbox
	reader   *reader
	unread   unread
	windows  windows
	table    channelTable
	codec    atomic.Pointer[serializer.Codec] // the string configuration of new channels
	exiting  atomic.Bool                      // Exit or Kill was called, so the end is no death
	killed   atomic.Bool                      // Kill was called, so nothing more is loaded
	maxCost  int
	tasks    tasks
	finished chan struct{} // closed when nothing more will be received; died is set before that
	died     error         // how the gateway died, nil after an orderly end
	rinfo    rinfoCache
	calls    callers
	relay    atomic.Pointer[Relay] // the latest one, nil if there never was one
}

// Config is what New needs besides the pipe.
type Config struct {
	// Spec is what the gateway was made from; its ID names the gateway in errors, traces and
	// groups.
	Spec *xspec.Spec
	// Executor makes this the worker's end: it runs what the driver sends, and its own channels
	// have even ids (the driver's have odd ones). Nil makes it a driver's, which refuses to execute
	// anything.
	Executor Executor
	// Route says where a program runs. The goroutine that reads calls it, in the order of the
	// messages, so it must not wait. Nil means that Executor runs them all.
	Route func(*Gateway, Program) Route
	// Warnings takes a line for each remote error that nobody received; nil means os.Stderr.
	Warnings io.Writer
	// DescribeErrors says that the driver understands errors with the class, the message and the
	// base classes of the exception beside its traceback ([protocol.md section 6.7]). It is for a
	// worker's end: those of drivers send texts.
	//
	// [protocol.md section 6.7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#67-error-text
	DescribeErrors bool
	// Windows says that the far end knows windows of channels ([protocol.md section 5.7]): it is
	// this module's, too.
	//
	// [protocol.md section 5.7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#57-windows
	Windows bool
	// MaxCost bounds the memory that a value from the far end may take: so many times the bytes of
	// its message, and 1 MiB. 0 means [serializer.DefaultMaxCost]. Receive returns a
	// [serializer.LoadError] for a value beyond it.
	MaxCost int
	// Output is what a worker of this module is asked to send of its output: a sum of AsideStdout
	// and so on, 0 for nothing. It is for drivers, whose bootstrap asks for it.
	Output int
	// Aside gets the items that belong to no channel: at a driver what the worker prints, at a
	// worker how many bytes of that the driver confirms. size is the bytes of the item. The
	// goroutine that reads calls it, so it must not wait. Nil drops them.
	Aside func(g *Gateway, item any, size int)
	// RelayAside gets the items that the worker of a Relay sends aside. The relay waits for it.
	// confirm tells that worker how many bytes of them are taken. Nil drops them.
	RelayAside func(item any, size int, confirm func(n int))
	// AtEnd is called at a driver when nothing more comes from the far end and its process is
	// reaped, and at a worker when everything has ended but the pipe. Join waits until it has
	// returned. Nil means nothing.
	AtEnd func()
}

// Route says where a program runs.
type Route struct {
	Relay *Relay // runs it; nil means the gateway's Executor
	Err   error  // not nil if nobody can run it; its channel is closed with this error
	Why   string // for the trace of EXECNET_DEBUG, which does not tell an empty one
}

// New starts a gateway on a pipe whose far end has answered the bootstrap ([protocol.md section
// 7]). The gateway owns the pipe: it closes both directions when the far end ends, when Exit is
// called, or when bytes arrive that are not the protocol.
//
// [protocol.md section 7]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#7-bootstrap
func New(pipe IO, config Config) *Gateway {
	g := &Gateway{
		id: config.Spec.ID, spec: config.Spec, io: pipe, executor: config.Executor, route: config.Route,
		warnings: farend.NewOutlet(cmp.Or[io.Writer](config.Warnings, os.Stderr)), tracer: processTracer(),
		finished: make(chan struct{}), rinfo: rinfoCache{asking: make(chan struct{}, 1)}, maxCost: config.MaxCost,
		describe: config.DescribeErrors, aside: config.Aside, atEnd: config.AtEnd, ofRelay: config.RelayAside,
	}
	g.windows = windows{both: config.Windows, known: map[*core]struct{}{}, wakes: map[*core]struct{}{}}
	g.tasks.idle = make(chan struct{})
	g.out = newOutbox(pipe, g.tasks.start)
	g.reader = newReader(g)
	first := int32(1)
	if config.Executor != nil {
		first = 2
	}
	g.table.init(g, first)
	g.calls.gateway = g
	g.codec.Store(g.newCodec(defaultStrings))
	g.tasks.start(g.receive)
	return g
}

// ID is the gateway's name, unique in its group.
func (g *Gateway) ID() string { return g.id }

// Spec is what the gateway was made from. The caller must not change it.
func (g *Gateway) Spec() *xspec.Spec { return g.spec }

// ExitStatus is how the far end's process ended, as far as that is known by now: after Join it is,
// unless nobody can tell, as behind a socket.
func (g *Gateway) ExitStatus() Exit { return g.io.Exit() }

// RemoteAddress is the far end's host as in the spec, empty for a local process.
func (g *Gateway) RemoteAddress() string { return g.io.RemoteAddress() }

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
// ended, or has died. Err then says which.
func (g *Gateway) Done() <-chan struct{} { return g.finished }

// NewChannel makes a channel that the far end does not know yet: give it to a call, send it over
// another channel, or use its id there. A Send on it waits until that has happened, so another
// goroutine may begin to send at once; after 5 seconds it is an error. After the gateway's end
// NewChannel returns ErrClosed or a [GatewayDiedError]. It is execnet's Gateway.newchannel.
func (g *Gateway) NewChannel() (*Channel, error) {
	c, err := g.newChannel()
	if err == nil {
		g.table.addStranger(c.core)
	}
	return c, err
}

// newChannel makes a channel of which the next message that this end sends tells the far end.
func (g *Gateway) newChannel() (*Channel, error) {
	c, err := g.table.allocate()
	if err != nil {
		return nil, err
	}
	return c.handle(), nil
}

// Exit asks the far end to end, by GATEWAY_TERMINATE and the end of the stream, and returns at
// once. What was sent before is still written, unless the far end takes nothing of it for ten
// seconds. [Gateway.Join] and the group's Terminate wait. It is execnet's Gateway.exit.
func (g *Gateway) Exit() {
	if g.exiting.Swap(true) {
		return
	}
	g.trace("--> sending GATEWAY_TERMINATE")
	// An error means that the pipe is closed for writing, which tells the far end the same.
	_ = g.post(codeTerminate, 0, nil)
	g.out.close()
	g.out.closeEvenSo()
	g.windows.end()
}

// Exiting reports whether Exit or Kill was called. The gateway then no longer belongs to its group.
func (g *Gateway) Exiting() bool { return g.exiting.Load() }

// Join waits until nothing is left of the gateway: it has received everything there is, its
// callbacks have returned, its goroutines have ended, and the far end's process is reaped. It
// returns ctx's error if ctx ends first. It does not make the far end go: see Exit. It is execnet's
// Gateway.join.
func (g *Gateway) Join(ctx context.Context) error {
	if err := g.JoinFarEnd(ctx); err != nil {
		return err
	}
	if farend.Await(ctx, g.tasks.idle) != nil {
		return timeout.During(ctx, "waiting for callbacks of gateway "+g.id)
	}
	g.warnings.FlushSoon()
	return nil
}

// JoinFarEnd is Join that does not wait for callbacks: it waits until nothing more will be received
// and the far end's process is reaped. A callback may call it; Join would wait there for the
// callback itself.
func (g *Gateway) JoinFarEnd(ctx context.Context) error {
	defer g.windows.lift()()
	if farend.Await(ctx, g.finished) != nil || g.io.Wait(ctx) != nil {
		return timeout.During(ctx, "joining gateway "+g.id)
	}
	return nil
}

// Go runs f in a goroutine that Join waits for. f must end soon after Done is closed. It is for
// work that an execution leaves running.
func (g *Gateway) Go(f func()) { g.tasks.start(f) }

// Kill ends the far end by force and at once. What is being received then is not loaded to its end.
// execnet does this when a group's terminate runs out of time.
func (g *Gateway) Kill() error {
	g.exiting.Store(true)
	g.killed.Store(true)
	err := g.io.Kill()
	// Nothing here waits for the far end any more, whether or not its process ends.
	g.out.fail(ErrClosed)
	g.windows.end()
	g.io.CloseRead()
	if r := g.relay.Load(); r != nil {
		r.Kill()
	}
	return err
}

// killedError is ErrTerminated after Kill. Codecs ask for it while they load large values.
func (g *Gateway) killedError() error {
	if g.killed.Load() {
		return ErrTerminated
	}
	return nil
}

// Err is nil while the gateway lives and after an orderly end. Otherwise it is a
// [GatewayDiedError], or the reason why the far end was never reached.
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
	g.died = g.endError(err)
	g.trace("[receiver] finished:", err, g.died)
	close(g.finished)
	ended := g.died
	if ended == nil && g.executor == nil {
		ended = ErrTerminated // what a driver's channels still wait for does not come any more
	}
	g.table.finish(ended)
	if g.executor != nil {
		r := g.relay.Load()
		if r != nil {
			r.Exit()
		}
		g.executor.Finish()
		if r != nil {
			<-r.gone // its last items have to be written before the pipe is closed
		}
		if g.atEnd != nil {
			g.atEnd()
		}
		g.out.close()
	} else {
		g.out.fail(g.diedOr(ErrClosed))
	}
	g.io.CloseRead()
	if g.atEnd != nil && g.executor == nil {
		_ = g.io.Wait(context.Background()) // Join waits for that, too
		g.atEnd()
	}
}

// exitWait is how long the gateway waits for the exit status of the far end's process after the end
// of the stream. A process that dies is reaped within milliseconds, on a busy machine within
// hundreds of them; only one that has closed its output and lives on takes the whole time.
const exitWait = time.Second

// streamEndWait is how long a Send that failed waits for the end of the stream, which explains the
// failure. It comes at once, unless the far end has only stopped reading.
const streamEndWait = 5 * time.Second

// endError is the error that the gateway's users get when receiving has ended with err: nil for an
// orderly end.
func (g *Gateway) endError(err error) error {
	if errors.Is(err, errTerminated) || g.exiting.Load() {
		return nil
	}
	if g.executor != nil && errors.Is(err, io.EOF) {
		return nil // a driver may end without a message (protocol.md section 8.2)
	}
	return deathOf(g.id, g.io, err)
}

// deathOf is how the far end of a pipe ended, if it was not asked to. Reading has ended with err.
func deathOf(id string, pipe IO, err error) error {
	var notStarted *farend.NotStartedError
	if errors.As(err, &notStarted) {
		return notStarted.Err
	}
	ctx, cancel := context.WithTimeout(context.Background(), exitWait)
	defer cancel()
	if teller, ok := pipe.(farend.EndTeller); ok && errors.Is(err, io.EOF) {
		says := teller.TellEnd(ctx)
		return &GatewayDiedError{ID: id, Exit: pipe.Exit(), Err: &streamEndError{says}}
	}
	runs := pipe.Wait(ctx) != nil
	exit := pipe.Exit()
	if errors.Is(err, io.EOF) {
		switch {
		case exit.Known:
			err = io.ErrUnexpectedEOF // the status tells the rest
		case runs:
			err = &streamEndError{"its far end has closed its output, and still runs"}
		default:
			err = &streamEndError{"its far end has closed the connection; how the interpreter ended is not known"}
		}
	}
	return &GatewayDiedError{ID: id, Exit: exit, Err: err}
}

// diedOr is what a call on an ended gateway returns: the gateway's own error if it died, else err.
func (g *Gateway) diedOr(err error) error {
	if died := g.Err(); died != nil {
		return died
	}
	return err
}

// send writes one message and returns when it is written.
func (g *Gateway) send(ctx context.Context, c code, channel int32, f *frame) error {
	if err := putHeader(f.bytes, f.size()-headerSize, c, channel); err != nil {
		return err
	}
	// Where a trace is printed, and sent as what is printed is, it must not tell of that for ever.
	if g.tracer != nil && (c != codeData || channel != asideID) {
		f.own()
		g.trace("sending", message{code: c, channel: channel, payload: f.bytes[headerSize:]})
	}
	var named []*core
	if g.table.strange.Load() > 0 {
		named = g.table.strangersIn(c, f.bytes[headerSize:])
	}
	err := g.out.send(ctx, f)
	for _, core := range named {
		core.met() // also if ctx has ended: the frame may go out all the same
	}
	if err == nil || ctx.Err() != nil {
		return err
	}
	g.trace("failed to send", err)
	// A pipe breaks shortly before the reader knows how the far end ended, on a busy machine much
	// earlier.
	limit := streamEndWait
	if errors.Is(err, ErrClosed) {
		limit = 2 * exitWait // this end closed it
	}
	select {
	case <-g.finished:
	case <-time.After(limit):
	}
	return g.diedOr(errtext.Wrap("cannot send to gateway "+g.id, err))
}

// post hands in one message and does not wait until it is written. payload may be nil.
func (g *Gateway) post(c code, channel int32, payload []byte) error {
	f, err := postedFrame(c, channel, payload)
	if err != nil {
		return err
	}
	if g.tracer != nil {
		g.trace("sending", message{code: c, channel: channel, payload: payload})
	}
	return g.out.post(f)
}

// postedFrame is a frame for outbox.post.
func postedFrame(c code, channel int32, payload []byte) (*frame, error) {
	f := &frame{bytes: append(make([]byte, headerSize, headerSize+len(payload)), payload...)}
	return f, putHeader(f.bytes, len(payload), c, channel)
}

// tasks counts the goroutines that a gateway has started. The first one is the receiver. When the
// last one has ended, idle is closed.
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
