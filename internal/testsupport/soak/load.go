package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-execnet/execnet"
)

const echoSource = "for item in channel: channel.send(item)"

// load keeps a gateway busy in several ways until it ends. Each of its parts returns the error that
// ended it, and when.
type load struct {
	parts map[string]func(ctx context.Context) error
	ended sync.WaitGroup

	mu   sync.Mutex // guards what follows
	errs map[string]error
	last time.Time // when the last part has ended
}

// wrongValue is the error of an item that is not what was sent.
var errWrongValue = errors.New("another value came back")

// startLoad starts it. The end of ctx is the last way to end it, and an error.
func startLoad(ctx context.Context, gw *execnet.Gateway) *load {
	l := &load{errs: map[string]error{}}
	l.parts = map[string]func(context.Context) error{
		"echo":  func(ctx context.Context) error { return echo(ctx, gw, func(i int) any { return int64(i) }) },
		"large": func(ctx context.Context) error { return echo(ctx, gw, largeItem) },
		"execute": func(ctx context.Context) error {
			for {
				if err := execute(ctx, gw); err != nil {
					return err
				}
			}
		},
		"callback": func(ctx context.Context) error { return callBack(ctx, gw) },
		"wait": func(ctx context.Context) error {
			ch, err := gw.RemoteExec(ctx, "import time\nwhile 1: time.sleep(0.1)")
			if err != nil {
				return err
			}
			return ch.WaitClose(ctx)
		},
	}
	for name, part := range l.parts {
		l.ended.Go(func() {
			err := part(ctx)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.errs[name] = err
			l.last = time.Now()
		})
	}
	return l
}

// wait waits until all parts have ended. It returns how long after start the last one did, and the
// errors that are none of the expected ones.
func (l *load) wait(start time.Time, expected func(error) bool) (took time.Duration, err error) {
	l.ended.Wait()
	for name, partErr := range l.errs {
		if !expected(partErr) {
			err = errors.Join(err, fmt.Errorf("%s ended with %w", name, orNothing(partErr)))
		}
	}
	took = max(0, l.last.Sub(start))
	if took > limit {
		err = errors.Join(err, fmt.Errorf("the last call took %v", took.Round(time.Millisecond)))
	}
	return took, err
}

func orNothing(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	return err
}

func largeItem(i int) any { return bytes.Repeat([]byte{byte(i)}, 1<<20) }

// echo sends items and receives them again.
func echo(ctx context.Context, gw *execnet.Gateway, item func(i int) any) error {
	ch, err := gw.RemoteExec(ctx, echoSource)
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		sent := item(i % 100)
		if err := ch.Send(ctx, sent); err != nil {
			return err
		}
		back, err := ch.Receive(ctx)
		if err != nil {
			return err
		}
		if !same(sent, back) {
			return errWrongValue
		}
	}
}

func same(a, b any) bool {
	if raw, ok := a.([]byte); ok {
		back, ok := b.([]byte)
		if text, isText := b.(string); isText { // Python 2's str comes back as text
			return len([]rune(text)) == len(raw)
		}
		return ok && bytes.Equal(raw, back)
	}
	return a == b
}

// execute runs one short program.
func execute(ctx context.Context, gw *execnet.Gateway) error {
	ch, err := gw.RemoteExec(ctx, "channel.send(6 * 7)")
	if err != nil {
		return err
	}
	n, err := execnet.Receive[int](ctx, ch)
	if err != nil {
		return err
	}
	if n != 42 {
		return errWrongValue
	}
	return ch.WaitClose(ctx)
}

// callBack sends items to an echo whose answers go to a callback.
func callBack(ctx context.Context, gw *execnet.Gateway) error {
	ch, err := gw.RemoteExec(ctx, echoSource)
	if err != nil {
		return err
	}
	got := make(chan any)
	ended := make(chan struct{})
	err = ch.SetCallback(func(item any) error {
		if item == nil {
			close(ended)
			return nil
		}
		select {
		case got <- item:
		case <-ctx.Done():
		case <-gw.Done(): // nobody waits any more
		}
		return nil
	}, nil)
	if err != nil {
		return err
	}
	for i := int64(0); ; i++ {
		if err := ch.Send(ctx, i); err != nil {
			return errors.Join(err, awaitEnd(ctx, ended))
		}
		select {
		case back := <-got:
			if back != i {
				return errWrongValue
			}
		case <-ended:
			return ch.WaitClose(ctx)
		case <-gw.Done():
			return errors.Join(ch.WaitClose(ctx), awaitEnd(ctx, ended))
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func awaitEnd(ctx context.Context, ended chan struct{}) error {
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return errors.New("the callback got no endmarker")
	}
}

// moment waits for a time drawn at random: mostly a short one, in which gateways start to be busy.
func moment(ctx context.Context, r *rand.Rand) {
	select {
	case <-ctx.Done():
	case <-time.After(time.Duration(r.ExpFloat64() * float64(30*time.Millisecond))):
	}
}
