package testrun

import (
	"context"
	"errors"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/xspec"
)

// sendTime is how long a worker may take to take a few numbers. Its reader is a thread of its own,
// so it takes longer only if C code keeps the interpreter's lock, or the process has been stopped.
const sendTime = 10 * time.Second

// worker is a gateway in which pytest runs. Only the goroutine of the run uses its fields, except
// for those of serve.
type worker struct {
	id   string
	spec *xspec.Spec
	// plain is its spec without what forking needs.
	plain  *xspec.Spec
	forked bool            // whether it is forked from a process that has collected the suite
	ctx    context.Context // ends when the worker is given up
	end    context.CancelFunc

	gateway *gatewaybase.Gateway // nil until there is one
	channel *gatewaybase.Channel

	state   state
	tests   []Test // its collection
	digest  string
	facts   collected
	whole   bool      // whether it tells its tests without being asked
	given   []int     // what it has to run and has not told the end of, in its order
	running int       // the index of the test that has begun, or -1
	begun   time.Time // when that was
	since   time.Time // from when on its time is counted
	last    bool      // it was told that nothing follows
	asked   []int     // what it was asked to return, or nil
	todo    []int     // what it has to run of a suite that each worker runs; nil for all
	stacks  string
	stderr  []string // the last lines of its stderr
	over    string   // why it is being ended by force, or ""
	ran     int      // how many tests it has ended
}

// state is how far a worker has come.
type state int

const (
	starting   state = iota
	collecting       // pytest is configured
	waiting          // it has told its collection, and runs tests as it gets them
	stopping         // it was told to stop
	gone
)

// opened says that a worker's gateway is there and its program was sent.
type opened struct {
	gateway *gatewaybase.Gateway
	channel *gatewaybase.Channel
}

// serve starts the worker's gateway and pytest there, and puts what it tells into the mailbox. The
// last letter is ended. It returns when nothing is left of the gateway.
func (w *worker) serve(group *multi.Group, settings map[string]any, box *mailbox) {
	gw, err := group.MakeGatewaySpec(w.ctx, w.spec)
	if err == nil {
		err = w.follow(gw, settings, box)
		leave(w.ctx, gw)
		if died := new(gatewaybase.GatewayDiedError); errors.As(err, &died) {
			died.Exit = gw.ExitStatus() // by now all of its stderr has come
		}
	}
	box.put(w, ended{err})
}

// follow reads what the worker tells until its channel is closed.
func (w *worker) follow(gw *gatewaybase.Gateway, settings map[string]any, box *mailbox) error {
	stop := context.AfterFunc(w.ctx, func() { _ = gw.Kill() })
	defer stop()
	source := pluginSource()
	if w.forked {
		source = goOn
	}
	ch, err := gw.RemoteExec(w.ctx, source, gatewaybase.File(pluginFile, 1))
	if err != nil {
		return err
	}
	if err := ch.Send(w.ctx, settings); err != nil {
		return err
	}
	box.put(w, opened{gw, ch})
	for item, err := range ch.Items(context.Background()) {
		if err != nil {
			return err
		}
		messages, err := decode(w.id, item)
		if err != nil {
			return err
		}
		box.put(w, messages...)
	}
	return nil
}

// endTime is how long a worker may take to end when its part is done.
const endTime = 5 * time.Second

// leave ends a gateway and waits until nothing is left of it.
func leave(ctx context.Context, gw *gatewaybase.Gateway) {
	gw.Exit()
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	if gw.JoinFarEnd(ctx) != nil {
		_ = gw.Kill()
	}
	ctx, cancel = context.WithTimeout(context.Background(), endTime)
	defer cancel()
	_ = gw.Join(ctx)
}

// tell sends a message. One that does not take it is given up.
func (w *worker) tell(parts ...any) {
	if w.channel == nil || w.state == gone {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, sendTime)
	defer cancel()
	if err := w.channel.Send(ctx, serializer.Tuple(parts)); err != nil {
		w.end()
	}
}

// run has it run tests behind those that it has.
func (w *worker) run(indexes []int) {
	if len(indexes) == 0 {
		return
	}
	w.given = append(w.given, indexes...)
	w.last = false
	w.tell("run", indexes)
}

// finishGiven tells it once that nothing follows, so that it need not wait with its last test.
func (w *worker) finishGiven() {
	if !w.last {
		w.last = true
		w.tell("last")
	}
}

func (w *worker) stop() {
	if w.state != gone {
		w.state = stopping
		w.tell("stop")
	}
}

func (w *worker) test(index int) *Test {
	if index < 0 || index >= len(w.tests) {
		return nil
	}
	return &w.tests[index]
}
