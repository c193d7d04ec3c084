package gatewaybase

import (
	"context"
	"errors"
	"time"

	"github.com/go-execnet/execnet/serializer"
)

var (
	// ErrNotMade is the answer of a call that CallInTurn has asked for and that is not made: the
	// far end has not begun it and will not begin it.
	ErrNotMade = errors.New("execnet: the call was not made")
	// ErrNotInTurn is the error of CallInTurn at a far end that makes no calls in turn. Nothing was
	// sent.
	ErrNotInTurn = errors.New("execnet: the far end does not make calls in turn")
)

// turnTime is how long calls in turn may take before those that have not begun are asked back.
const turnTime = 20 * time.Millisecond

// CallInTurn calls a function once for each of calls, which are arguments as RemoteCall takes them.
// All of them travel together. The far end makes one call after the other, in their order, and
// sends the answer of each before it begins the next one. So when a worker has died, only the first
// of those without an answer can have begun. It is for calls that take less time than a way there
// and back. Only Python workers of this module make calls in turn, and not behind a Go worker.
//
// answer is called for each answer when it has come, with the index of the call and what RemoteCall
// would return. Calls that have not begun after some milliseconds are asked back: their error is
// ErrNotMade. That is also the error of all if something in the arguments cannot be sent.
//
// CallInTurn returns nil when all calls have their answers, and otherwise why the others get none.
func CallInTurn[T any](ctx context.Context, g *Gateway, function string, calls [][]any, answer func(i int, result T, err error)) error {
	if !isDottedName(function) {
		return badSource("%q is not the name of a function in a module", function)
	}
	line, err := g.calls.line(ctx, &callRequest{function: function})
	if err == nil {
		err = line.servesInTurn(ctx)
	}
	if err != nil {
		return err
	}
	t := line.newTurns(calls)
	if err := t.send(ctx, function, calls); err != nil {
		return err
	}
	timer := time.AfterFunc(turnTime, t.askBack)
	defer timer.Stop()
	for left := len(calls); left > 0; {
		if err := line.await(ctx, &t.caller); err != nil {
			t.abandon(ctx.Err() != nil)
			return err
		}
		for i := t.next(); i >= 0; i = t.next() {
			var result T
			call := &t.calls[i]
			err := call.err
			if err != nil && err != ErrNotMade {
				return err // the channel has ended
			}
			if err == nil {
				err = line.read(call, &result)
			}
			if err == errNotServed {
				err = ErrNotMade
			}
			answer(i, result, err)
			left--
		}
	}
	return nil
}

// servesInTurn waits for the first item of the channel if that has not come. It returns
// ErrNotInTurn if the far end makes no calls in turn.
func (l *callLine) servesInTurn(ctx context.Context) error {
	if l == nil || l.behind {
		return ErrNotInTurn
	}
	if err := l.awaitOpen(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuses || l.modules != nil {
		return ErrNotInTurn
	}
	return l.ended
}

// awaitOpen waits until the first item has come, or cannot come any more.
func (l *callLine) awaitOpen(ctx context.Context) error {
	call := &waitingCall{id: l.callers.numbers(1), caller: &caller{}, opening: true}
	l.mu.Lock()
	waits := !l.opened && l.ended == nil
	if waits {
		l.waiting[call.id] = call
	}
	l.mu.Unlock()
	if !waits {
		return nil
	}
	err := l.await(ctx, call.caller)
	if err != nil {
		l.abandon(call, false)
	}
	return err
}

// turns are calls in turn.
type turns struct {
	line   *callLine
	caller caller
	calls  []waitingCall
	first  int // of those that next has not returned
	last   int // behind the last of them
}

func (l *callLine) newTurns(calls [][]any) *turns {
	t := &turns{line: l, calls: make([]waitingCall, len(calls)), last: len(calls)}
	id := l.callers.numbers(len(calls))
	for i := range t.calls {
		t.calls[i].id, t.calls[i].caller = id+int32(i), &t.caller
	}
	return t
}

// send asks for the calls. If they cannot be sent, all have their answers.
func (t *turns) send(ctx context.Context, function string, calls [][]any) error {
	core := t.line.channel.core
	all := make(serializer.Tuple, len(calls))
	for i := range calls {
		args, kwargs := splitKwargs(calls[i])
		all[i] = serializer.Tuple(args)
		if len(kwargs) > 0 {
			all[i] = []any{all[i], map[string]any(kwargs)}
		}
	}
	f, err := core.requestFrame(serializer.Tuple{int64(t.calls[0].id), function, all, nil})
	if err != nil {
		t.wait(ErrNotMade)
		return nil
	}
	if err := t.wait(nil); err != nil {
		f.free()
		return err
	}
	if err := core.gateway.send(ctx, codeData, core.id, f); err != nil {
		t.abandon(ctx.Err() != nil)
		return err
	}
	return nil
}

// wait lets the calls wait for their answers, or answers all with an error.
func (t *turns) wait(answer error) error {
	l := t.line
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range t.calls {
		if answer != nil {
			l.done(&t.calls[i], item{}, answer)
		} else if l.ended == nil {
			l.waiting[t.calls[i].id] = &t.calls[i]
		}
	}
	return l.ended
}

// next returns the index of a call whose answer nobody has looked at, -1 if there is none. Answers
// come from the front, and those of calls that are not made from the end.
func (t *turns) next() int {
	t.line.mu.Lock()
	defer t.line.mu.Unlock()
	switch {
	case t.first < t.last && t.calls[t.first].answered:
		t.first++
		return t.first - 1
	case t.first < t.last && t.calls[t.last-1].answered:
		t.last--
		return t.last
	}
	return -1
}

// askBack asks for the calls that have not begun. Their answers say that they are not made.
func (t *turns) askBack() { t.line.post(t.calls[0].id, 0) }

// abandon gives up the calls that have no answer.
func (t *turns) abandon(tell bool) {
	for i := range t.calls {
		t.line.abandon(&t.calls[i], tell)
	}
}
