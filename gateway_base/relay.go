package gatewaybase

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/serializer"
)

// Relay is a second worker behind this one, which runs some of the driver's programs: a Python
// beside a Go worker. Messages of channels that belong to it pass through this gateway undecoded,
// both ways and under the same ids, so that the driver sees one worker.
//
// A channel belongs to the relay if its program runs there, if the relay's worker has made it, or
// if it was first named in an item of such a channel.
//
// What the driver sends faster than the relay's worker reads waits here, up to maxPosted bytes.
// Beyond that this gateway does not read until there is room again, as a worker of its own would
// not. What the relay's worker sends waits there until the driver has taken it. No cycle can come
// of the two: neither direction waits for the other one here.
type Relay struct {
	gateway *Gateway
	io      IO
	out     *outbox
	first   int32       // the first id that the far end may make; it counts up from there
	exiting atomic.Bool // Exit or Kill was called, so the end is no death
	over    chan struct{}
	gone    chan struct{} // closed when the far end is reaped and nothing of it is left here

	waiting context.Context // of waiting for the far end's process; giveUp ends it
	giveUp  context.CancelFunc

	calls func(r *Relay, payload []byte)

	mu         sync.Mutex             // guards what follows
	channels   map[int32]bool         // those that belong to the relay
	programs   map[int32]bool         // those of them whose programs run
	afterClose map[int32][]*func()    // what to call when one of them is closed
	afterEnd   map[int32][]*func()    // what to call when a program ends
	statuses   map[int32]bool         // STATUS requests that the far end has not answered
	own        map[int32]chan<- error // programs of this end's own, and who waits for their ends
	nextOwn    int32                  // the id of the next one
	highest    int32                  // the highest id that the far end has made so far
	ended      bool
}

// The ids of channels that relays make are even, as a worker's are, and begin at relayIDs, so that
// they differ from those that this end makes. Each relay of a gateway goes on where the one before
// has ended, because the driver may still hold channels of that one. Odd ids from relayIDs on are
// those of channels between this end and the relay's worker: the first one is that of the calls.
const (
	relayIDs = 1 << 30
	// relayRoom is how many ids a relay must have left when it begins.
	relayRoom = 1 << 20
)

// NewRelay makes a relay. Only Config.Route may call it. open is called with the first id that the
// worker there may use for channels of its own, and returns the pipe to it: the bootstrap has been
// answered, or what is written waits for that. calls gets what the worker sends as data on the id
// that follows its first id; it must not wait. A gateway has one relay at a time. NewRelay returns
// an error if there is one that has not ended, if the gateway has ended, or if the ids are used up.
func NewRelay(g *Gateway, open func(firstID int) IO, calls func(r *Relay, payload []byte)) (*Relay, error) {
	r := &Relay{gateway: g, first: relayIDs, over: make(chan struct{}), gone: make(chan struct{}), calls: calls,
		channels: map[int32]bool{}, programs: map[int32]bool{}, afterClose: map[int32][]*func(){}, afterEnd: map[int32][]*func(){}, statuses: map[int32]bool{},
		own: map[int32]chan<- error{}}
	if before := g.relay.Load(); before != nil {
		before.mu.Lock()
		defer before.mu.Unlock()
		if !before.ended {
			return nil, errors.New("execnet: the gateway has a relay already")
		}
		if before.highest > math.MaxInt32-relayRoom {
			return nil, fmt.Errorf("execnet: gateway %s has used up its channel ids", g.id)
		}
		r.first = before.highest + 2
	}
	if !g.HasReceiver() {
		return nil, g.diedOr(ErrClosed)
	}
	r.highest, r.nextOwn = r.first, r.first+3
	r.waiting, r.giveUp = context.WithCancel(context.Background())
	r.io = open(int(r.first))
	r.out = newOutbox(r.io, g.tasks.start)
	g.relay.Store(r)
	g.reader.readContinuously()
	if codec := g.codec.Load(); !codec.Py2StrAsPy3Str || codec.Py3StrAsPy2Str {
		_ = r.post(codeReconfigure, 0, strConfigPayload(codec))
	}
	g.tasks.start(r.run)
	return r, nil
}

// relayFor returns the relay that a channel belongs to, or nil.
func (g *Gateway) relayFor(channel int32) *Relay {
	r := g.relay.Load()
	if r == nil {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.channels[channel] || channel >= relayIDs && channel%2 == 0 {
		return r
	}
	return nil
}

// forward passes a message of the driver on.
func (r *Relay) forward(m message) error {
	r.awaitRoom()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended || m.channel >= relayIDs && m.channel < r.first { // a channel of a relay before
		if m.code == codeData {
			return r.gateway.closeChannelsIn(m.payload)
		}
		return nil
	}
	switch m.code {
	case codeData:
		r.claim(m.payload)
	case codeClose, codeCloseError:
		r.closed(m.channel)
	}
	// An error means that the far end is gone, which run reports.
	_ = r.out.post(m.pass())
	return nil
}

// execute passes a CHANNEL_EXEC on; its channel belongs to the relay from now on. It reports false
// if the relay has ended.
func (r *Relay) execute(m message) bool {
	r.awaitRoom()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	r.channels[m.channel], r.programs[m.channel] = true, true
	_ = r.out.post(m.pass())
	return true
}

// ask passes a STATUS on. It reports false if there is nobody to ask.
func (r *Relay) ask(m message) bool {
	r.awaitRoom()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		return false
	}
	r.statuses[m.channel] = true
	return r.out.post(m.pass()) == nil
}

// lookTime is how often a reader that waits for room looks whether the driver is gone.
const lookTime = 200 * time.Millisecond

// awaitRoom blocks as long as the far end does not read and maxPosted bytes wait for it. When the
// driver is gone it does not wait: what can still come is bounded, and the end has to be read.
func (r *Relay) awaitRoom() {
	for !r.out.waitForRoom(lookTime) {
		if driver, ok := r.gateway.io.(farend.HangUpTeller); ok && driver.HungUp() {
			return
		}
	}
}

// Run executes a program in the relay's worker for this end's own purposes, gives it one item, and
// returns when it has ended: a RemoteError if it has failed. It returns nil if the worker ends
// first.
func (r *Relay) Run(ctx context.Context, source string, item any) error {
	codec := r.gateway.newCodec(defaultStrings)
	program, err := codec.Append(nil, serializer.Tuple{source, nil, nil, serializer.NewDict()})
	if err != nil {
		return err
	}
	data, err := codec.Append(nil, item)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	r.mu.Lock()
	if r.ended {
		r.mu.Unlock()
		return nil
	}
	id := r.nextOwn
	r.nextOwn += 2
	r.own[id] = ended
	// Errors mean that the worker is gone.
	_ = r.post(codeExec, id, program)
	_ = r.post(codeData, id, data)
	r.mu.Unlock()
	select {
	case err := <-ended:
		return err
	case <-r.over:
		return nil
	case <-ctx.Done():
		return timeout.During(ctx, "setting up the Python behind gateway "+r.gateway.id)
	}
}

// errDriverGone ends the passing on of the far end's messages.
var errDriverGone = errors.New("execnet: the driver takes nothing more")

// back passes a message of the far end on to the driver, and waits until it is written.
func (r *Relay) back(m message) error {
	if m.channel > relayIDs && m.channel%2 == 1 {
		r.backHere(m)
		return nil
	}
	if m.channel == asideID {
		return r.backAside(m)
	}
	r.mu.Lock()
	r.made(m.channel)
	status := r.statuses[m.channel]
	switch m.code {
	case codeData:
		r.claim(m.payload)
	case codeClose, codeCloseError:
		closedByDriver := r.programs[m.channel] && !r.channels[m.channel]
		r.closed(m.channel)
		r.programEnded(m.channel)
		delete(r.statuses, m.channel)
		if closedByDriver {
			r.mu.Unlock()
			return nil // it was for this end only: see _behind in bootstrap/worker/
		}
	case codeTerminate:
		r.mu.Unlock()
		return nil
	}
	r.mu.Unlock()
	if status && m.code == codeData {
		var err error
		if m, err = r.statusOfBoth(m); err != nil {
			return err
		}
	}
	return r.backToDriver(m)
}

// backToDriver writes a message of the far end to the driver.
func (r *Relay) backToDriver(m message) error {
	if r.gateway.tracer != nil {
		r.gateway.trace("[relay] sending", m)
	}
	if r.gateway.out.send(context.Background(), m.pass()) != nil {
		return errDriverGone
	}
	return nil
}

// backHere takes a message of a channel between the far end and this one.
func (r *Relay) backHere(m message) {
	if m.channel == r.first+1 {
		if m.code == codeData && r.calls != nil {
			r.calls(r, m.payload)
		}
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ended := r.own[m.channel]
	if ended == nil {
		return
	}
	switch m.code {
	case codeClose:
		ended <- nil
	case codeCloseError:
		ended <- remoteErrorOf(m.payload)
	default:
		return
	}
	delete(r.own, m.channel)
}

// statusOfBoth is the far end's answer to STATUS, with what this end has added.
func (r *Relay) statusOfBoth(m message) (message, error) {
	v, err := r.gateway.newCodec(defaultStrings).Load(m.payload)
	status, ok := v.(*serializer.Dict)
	if err != nil || !ok {
		return m, &protocolError{fmt.Sprintf("a status that is %v (%v)", v, err)}
	}
	count := func(name string) int {
		n, _ := status.Get(name)
		i, _ := n.(int64)
		return int(i)
	}
	payload, err := r.gateway.statusPayload(count("numchannels"), count("numexecuting"))
	if err != nil {
		return m, err
	}
	f, err := postedFrame(codeData, m.channel, payload)
	return message{code: codeData, channel: m.channel, payload: payload, frame: f.bytes}, err
}

// claim makes the channels that an item names the relay's, unless they belong to this end. The
// caller holds mu.
func (r *Relay) claim(payload []byte) {
	// An item that cannot be loaded is an error of the channel's user, who gets it as it is.
	_ = r.gateway.channelsIn(payload, func(id int32) error {
		if !r.gateway.table.knows(id) {
			r.channels[id] = true
			r.made(id)
		}
		return nil
	})
}

// made notes an id that the far end may have made. The caller holds mu.
func (r *Relay) made(id int32) {
	if id%2 == 0 {
		r.highest = max(r.highest, id)
	}
}

func (r *Relay) post(c code, channel int32, payload []byte) error {
	f, err := postedFrame(c, channel, payload)
	if err != nil {
		return err
	}
	return r.out.post(f)
}
