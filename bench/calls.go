package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-execnet/execnet"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/worker/engine"
)

// calls compares calls of functions with an item and its answer over a channel that is open.
func (b *bench) calls() []measurement {
	item := make([]byte, smallItem)
	const echo = "echo"
	return []measurement{
		comparison{
			name:   "call of a Python function",
			figure: asTime,
			sides:  []side{remoteCalls(func() *execnet.Gateway { return b.callee }, "bytes", item), b.tasks.echo(item).named(echo)},
			goals:  []goal{{"RemoteCall", echo, longer, 1.5}},
		},
		comparison{
			name:   "call of a Go function, Go to Go",
			figure: asTime,
			sides:  []side{remoteCalls(func() *execnet.Gateway { return b.goTasks.ch.Gateway() }, "bench.same", item), b.goTasks.echo(item).named(echo)},
			goals:  []goal{{"RemoteCall", echo, longer, 1.5}},
		},
		count{name: "milliseconds for auto's decision about 500 lines", of: decisionTime, below: 1},
	}
}

// remoteCalls calls a function that returns its argument, or a value like it.
func remoteCalls(of func() *execnet.Gateway, function string, item []byte) side {
	return side{"RemoteCall", func(ctx context.Context, n int) (time.Duration, error) {
		gw := of()
		start := time.Now()
		for range n {
			if _, err := execnet.RemoteCall[[]byte](ctx, gw, function, item); err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	}}
}

// glue is one of the functions of the program about which auto decides. gpython does all of it as
// CPython does, so all of it has to be read.
const glue = `
def step%d(names, limit=10):
    found, rest = {}, 0
    for name in names:
        if len(str(name)) > limit or not name:
            rest += 1
            continue
        found[str(name)] = [name, len(str(name)) * 2]
    try:
        return {"found": found, "sizes": [i + rest for i in range(3)]}
    finally:
        channel.send(rest)
`

// decisionTime is how many milliseconds the engine takes to decide about a program of 500 lines.
func decisionTime() (float64, error) {
	judge, ok := engine.Default().(engine.Judge)
	if !ok {
		return 0, errors.New("the engine of this program does not decide")
	}
	var source strings.Builder
	for i := range 500 / strings.Count(glue, "\n") {
		fmt.Fprintf(&source, glue, i)
	}
	program := gatewaybase.Program{Source: source.String()}
	var times []float64
	for range 31 {
		start := time.Now()
		if differs := judge.Differs(program, nil); differs != "" {
			return 0, fmt.Errorf("the program is not left to the engine: %s", differs)
		}
		times = append(times, time.Since(start).Seconds()*1000)
	}
	return median(times), nil
}
