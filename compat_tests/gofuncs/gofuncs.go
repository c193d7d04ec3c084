// Package gofuncs registers the Go functions of the programs that the tests start as workers.
package gofuncs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"math/big"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker"
)

// Register registers them.
func Register() {
	worker.Register("gofuncs", worker.Funcs{
		"echo":  func(v any) any { return v },
		"serve": serve,
		"count": func(text string) int { return len(strings.Fields(text)) },
		"add": func(ns ...float64) (sum float64) {
			for _, n := range ns {
				sum += n
			}
			return sum
		},
		"words": strings.FieldsSeq,
		"numbers": func(n int) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := range max(n, 0) {
					if !yield(i, nil) {
						return
					}
				}
				if n < 0 {
					yield(0, errors.New("negative"))
				}
			}
		},
		"greet":  greet,
		"fail":   func(text string) error { return errors.New(text) },
		"raise_": func(class, text string) error { return &worker.Raised{Class: class, Message: text} },
		"panic_": func(text string) { panic(text) },
		"panics": func(n int) []panics { return make([]panics, n) },
		"pid":    os.Getpid,
		"getenv": os.Getenv,
		"getwd":  os.Getwd,
		"print_": func(text string) { fmt.Print(text) },
		"wait":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"sleep":  func(seconds float64) { time.Sleep(time.Duration(seconds * float64(time.Second))) },
		"exit":   os.Exit,
		"two":    func() (int, string) { return 1, "two" },
		// It has no result: the item that it receives is dropped.
		"receive_one": func(ctx context.Context, ch *execnet.Channel) error {
			_, err := ch.Receive(ctx)
			return err
		},
		"results":     results,
		"zeros":       func(n int) []byte { return make([]byte, n) },
		"size":        func(b []byte) int { return len(b) },
		"goexit":      runtime.Goexit,
		"timeout":     func() error { return execnet.ErrTimeout },
		"eof":         func() error { return io.EOF },
		"made":        made,
		"keep":        keep,
		"listen":      listen,
		"begin":       begin,
		"ended":       ended,
		"peek":        peek,
		"two_at_once": twoAtOnce,
		"later":       later,
		"spin":        spin,
	})
	worker.Register("gofuncs.more.deep", worker.Funcs{"upper": strings.ToUpper})
}

type manner struct {
	Greeting string `execnet:"greeting"`
	Loud     bool   `execnet:"loud"`
}

func greet(name string, how manner) string {
	if how.Greeting == "" {
		how.Greeting = "hello"
	}
	text := how.Greeting + " " + name
	if how.Loud {
		text = strings.ToUpper(text)
	}
	return text
}

// results returns a dict with a value of every type.
func results() *execnet.Dict {
	return serializer.NewDict(
		"none", nil,
		"bool", true,
		"int", int8(-7),
		"uint64", uint64(math.MaxUint64),
		"big", new(big.Int).Neg(new(big.Int).Lsh(big.NewInt(1), 100)),
		"float", float32(0.5),
		"complex", complex(1, -2),
		"str", "\u20ac",
		"bytes", []byte{0, 255},
		"list", []any{1, []int{2}},
		"tuple", execnet.Tuple{1, execnet.Tuple{}},
		"dict", serializer.NewDict(execnet.Tuple{1, []byte("k")}, nil),
		"set", serializer.NewSet(1, "a"),
		"frozenset", serializer.NewFrozenSet(2.5),
		"map", map[string][]int{"k": {1}},
		"struct", manner{Greeting: "g", Loud: true},
		"duration", 1500*time.Millisecond,
	)
}

// serve sends back each item that it receives until the channel ends.
func serve(ctx context.Context, ch *execnet.Channel) error {
	for item, err := range ch.Items(ctx) {
		if err == nil {
			err = ch.Send(ctx, item)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// made returns a channel that this Go program has made.
func made(ch *execnet.Channel) (*execnet.Channel, error) { return ch.Gateway().NewChannel() }

// keep receives a channel, and sends over it when another item has come.
func keep(ctx context.Context, ch *execnet.Channel) error {
	inner, err := execnet.Receive[*execnet.Channel](ctx, ch)
	if err != nil {
		return err
	}
	if _, err := ch.Receive(ctx); err != nil {
		return err
	}
	return inner.Send(ctx, "kept")
}

// listen sums up what comes over the channel that it is given, and returns when that is closed.
func listen(ctx context.Context, ch *execnet.Channel) (sum int, err error) {
	for n, err := range execnet.Items[int](ctx, ch) {
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, ch.WaitClose(ctx)
}

// ends has a channel for each name, which is closed when the context of begin has ended.
var ends sync.Map

func endOf(name string) chan struct{} {
	done, _ := ends.LoadOrStore(name, make(chan struct{}))
	return done.(chan struct{})
}

// begin sends 1 and waits for the end of its context, which ended reports under this name.
func begin(ctx context.Context, ch *execnet.Channel, name string) error {
	defer close(endOf(name))
	if err := ch.Send(ctx, 1); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// ended waits until the context of a call of begin has ended.
func ended(ctx context.Context, name string, seconds float64) bool {
	select {
	case <-endOf(name):
		return true
	case <-time.After(time.Duration(seconds * float64(time.Second))):
		return false
	case <-ctx.Done():
		return false
	}
}

// peek gives up receiving after a while, and returns what it has received, if anything.
func peek(ctx context.Context, ch *execnet.Channel, seconds float64) (any, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds*float64(time.Second)))
	defer cancel()
	v, err := ch.Receive(ctx)
	if errors.Is(err, execnet.ErrTimeout) {
		return "nothing", nil
	}
	return v, err
}

// twoAtOnce receives on both channels, from a goroutine each.
func twoAtOnce(ctx context.Context, ch, other *execnet.Channel) (texts []string) {
	var mu sync.Mutex
	var receiving sync.WaitGroup
	for _, c := range []*execnet.Channel{ch, other} {
		receiving.Go(func() {
			v, err := c.Receive(ctx)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				texts = append(texts, err.Error())
			} else {
				texts = append(texts, fmt.Sprint(v))
			}
		})
	}
	receiving.Wait()
	return texts
}

// later returns at once, and leaves a goroutine that receives.
func later(ch *execnet.Channel) {
	go func() { _, _ = ch.Receive(context.Background()) }()
	time.Sleep(100 * time.Millisecond)
}

// spin computes for a while without a pause.
func spin(milliseconds int) (n int) {
	for end := time.Now().Add(time.Duration(milliseconds) * time.Millisecond); time.Now().Before(end); n++ {
	}
	return n
}

// panics is a value that cannot be serialized.
type panics struct{}

func (panics) MarshalExecnet() (any, error) { panic("while it is sent") }
