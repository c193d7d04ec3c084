package main

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"runtime"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/go-execnet/execnet"
)

// drivesBehind is the side in which pip's execnet drives a CPython behind a Go worker.
const drivesBehind = "execnet, CPython behind Go"

// manyThreads is how many threads call at once.
const manyThreads = 8

//go:embed cpythons.py
var cpythonsSource string

// compute keeps a processor busy for some hundred microseconds.
func compute() (x uint32) {
	for i := range uint32(300_000) {
		x = x*1664525 + 1013904223 + i
	}
	return x
}

// behind is a channel to cpythons.py, which runs behind this program, started once more.
type behind struct{ ch *execnet.Channel }

// behindSpec is the spec of this program as a worker with the interpreter behind it.
func behindSpec(p interpreter) string {
	return "popen//self//engine=cpython//env:EXECNET_PYTHON=" + shellquote.Join(p.path)
}

func (b behind) side(name, task string, item any) side {
	return side{name, func(ctx context.Context, n int) (time.Duration, error) {
		if err := b.ch.Send(ctx, execnet.Tuple{task, n, item}); err != nil {
			return 0, err
		}
		seconds, err := execnet.Receive[float64](ctx, b.ch)
		return time.Duration(seconds * float64(time.Second)), err
	}}
}

// cpythons compares programs in a CPython behind a Go worker with what they would have otherwise.
func (b *bench) cpythons() []measurement {
	self, err := os.Executable()
	if err != nil {
		return nil
	}
	item, large := make([]byte, smallItem), make([]byte, largeItem)
	worker := "popen//python=" + shellquote.Join(self) + " worker//env:EXECNET_ENGINE=cpython//env:EXECNET_PYTHON=" + shellquote.Join(b.pip.python.path)
	return []measurement{
		comparison{
			name:   "Go function called from CPython",
			figure: asTime,
			sides:  []side{b.behind.side("ours", "call", item), b.behind.side(rawPipe, "raw", []string{self, rawCommand})},
			goals:  []goal{{"ours", rawPipe, longer, 2}},
		},
		comparison{
			name:   "Go function that computes, 8 threads of CPython",
			figure: asTime,
			sides:  []side{b.behind.side("8 threads", "threads", manyThreads), b.behind.side("1 thread", "threads", 1)},
			goals:  []goal{{"8 threads", "1 thread", speed, 0.8 * float64(min(manyThreads, runtime.NumCPU()))}},
		},
		comparison{
			name:   "bytes of 1 MiB, CPython to Go function",
			figure: asThroughput(largeItem),
			sides:  []side{b.behind.side("ours", "take", large), b.tasks.give(large).named(channelItems)},
			goals:  []goal{{"ours", channelItems, speed, 0.8}},
		},
		comparison{
			name:   "bytes of 1 MiB, Go function to CPython",
			figure: asThroughput(largeItem),
			sides:  []side{b.behind.side("ours", "give", largeItem), b.tasks.take(large).named(channelItems)},
			goals:  []goal{{"ours", channelItems, speed, 0.8}},
		},
		comparison{
			name:   "echo round trip, CPython behind Go, execnet driving",
			figure: asTime,
			sides:  []side{b.pip.asking(drivesBehind, "echo_to", map[string]any{"spec": worker}), b.pip.asking(drivesPython, "echo_to", map[string]any{"spec": "popen"})},
			goals:  []goal{{drivesBehind, drivesPython, longer, 1.5}},
		},
		comparison{
			name:   "bytes of 1 MiB, CPython behind Go, execnet driving",
			figure: asThroughput(largeItem),
			sides:  []side{b.pip.asking(drivesBehind, "take_to", map[string]any{"spec": worker, "size": largeItem}), b.pip.asking(drivesPython, "take_to", map[string]any{"spec": "popen", "size": largeItem})},
			goals:  []goal{{drivesBehind, drivesPython, speed, 0.8}},
		},
		comparison{
			name:   "first program, CPython behind Go",
			figure: asTime,
			once:   true,
			sides: []side{
				once("ours", func(ctx context.Context) (time.Duration, error) { return firstProgram(ctx, b.python) }),
				once("bare", func(ctx context.Context) (time.Duration, error) { return startBare(ctx, b.python, 1) }),
			},
			goals: []goal{{"ours", "bare", longer, 1.3}},
		},
	}
}

// channelItems is the side in which a channel carries what a call carries otherwise.
const channelItems = "items of a channel"

// named is a side under another name.
func (s side) named(name string) side { return side{name, s.run} }

// firstProgram executes the first program of a Go worker that has been started: it starts CPython.
func firstProgram(ctx context.Context, python interpreter) (took time.Duration, err error) {
	group := execnet.NewGroup()
	defer func() { err = errors.Join(err, group.Terminate(context.Background())) }()
	gw, err := group.MakeGateway(ctx, behindSpec(python))
	if err != nil {
		return 0, err
	}
	start := time.Now()
	ch, err := gw.RemoteExec(ctx, "channel.send(1)")
	if err != nil {
		return 0, err
	}
	_, err = ch.Receive(ctx)
	return time.Since(start), err
}
