package gpython

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkExecute is what an execution costs beside its program.
func BenchmarkExecute(b *testing.B) {
	w := newWorker(b, nil)
	ch, err := w.RemoteExec(b.Context(), "channel.receive()")
	require.NoError(b, err)
	b.Cleanup(func() { _ = ch.CloseSend() })
	p := program("pass")
	b.ReportAllocs()
	for b.Loop() {
		if err := (gpythonEngine{}).Execute(context.Background(), ch, p, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkInterp(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		newInterp(context.Background(), nil, nil)
	}
}

// BenchmarkEcho is a round trip through "for x in channel: channel.send(x)".
func BenchmarkEcho(b *testing.B) {
	for name, item := range map[string]any{"int": 5, "1MiB": make([]byte, 1<<20), "1MiB str": string(make([]byte, 1<<20))} {
		b.Run(name, func(b *testing.B) {
			w := newWorker(b, nil)
			ch, err := w.RemoteExec(b.Context(), "for x in channel:\n    channel.send(x)")
			require.NoError(b, err)
			b.Cleanup(func() { _ = ch.CloseSend() })
			b.ReportAllocs()
			if name != "int" {
				b.SetBytes(1 << 20)
			}
			for b.Loop() {
				if err := ch.Send(b.Context(), item); err != nil {
					b.Fatal(err)
				}
				if _, err := ch.Receive(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkStream sends many items without waiting for each: the worker's own cost per item.
func BenchmarkStream(b *testing.B) {
	w := newWorker(b, nil)
	ch, err := w.RemoteExec(b.Context(), "for i in range(channel.receive()):\n    channel.send(i)")
	require.NoError(b, err)
	require.NoError(b, ch.Send(b.Context(), b.N))
	b.ReportAllocs()
	for range b.N {
		if _, err := ch.Receive(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLoop is one round of a busy loop.
func BenchmarkLoop(b *testing.B) {
	w := newWorker(b, nil)
	ch, err := w.RemoteExec(b.Context(), "n = channel.receive()\ndef f(n):\n    i = 0\n    while i < n:\n        i += 1\n    return i\nchannel.send(f(n))")
	require.NoError(b, err)
	require.NoError(b, ch.Send(b.Context(), b.N))
	if _, err := ch.Receive(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkCall is a call of a function.
func BenchmarkCall(b *testing.B) {
	w := newWorker(b, nil)
	ch, err := w.RemoteExec(b.Context(), "n = channel.receive()\ndef g(x): return x\ndef f(n):\n    for i in range(n): g(i)\nf(n)\nchannel.send(0)")
	require.NoError(b, err)
	require.NoError(b, ch.Send(b.Context(), b.N))
	b.ReportAllocs()
	if _, err := ch.Receive(context.Background()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkDiffers is the decision of a worker for a program of 500 lines.
func BenchmarkDiffers(b *testing.B) {
	function := `def f%d(a, b=1):
    total = 0
    for x in a:
        if x > b and x %% 2:
            total += x * 3
        else:
            total -= len(str(x))
    try:
        return {"a": total, "b": [i for i in range(3)]}
    finally:
        channel.send(total)
`
	var source strings.Builder
	for i := range 46 {
		fmt.Fprintf(&source, function, i)
	}
	p := program(source.String())
	require.Empty(b, gpythonEngine{}.Differs(p, nil))
	b.ReportAllocs()
	for b.Loop() {
		gpythonEngine{}.Differs(p, nil)
	}
}
