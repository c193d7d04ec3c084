// Goworker is the Go program that the tests start as a worker. It registers these functions and can
// do nothing else.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"os"
	"strings"
	"time"

	"github.com/go-execnet/execnet"
	_ "github.com/go-execnet/execnet/gpython" // runs the Python source that drivers send
	"github.com/go-execnet/execnet/serializer"
	"github.com/go-execnet/execnet/worker"
)

func main() {
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
		"greet":  greet,
		"fail":   func(text string) error { return errors.New(text) },
		"raise_": func(class, text string) error { return &worker.Raised{Class: class, Message: text} },
		"panic_": func(text string) { panic(text) },
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
		"results": results,
	})
	worker.Register("gofuncs.more.deep", worker.Funcs{"upper": strings.ToUpper})
	worker.ServeIfWorker()
	fmt.Fprintln(os.Stderr, "goworker: to be started by a driver")
	os.Exit(2)
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
