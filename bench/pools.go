package main

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/pool"
)

//go:embed pools.py
var poolSource string

// poolJobs is how many jobs a pool gets.
const poolJobs = 10000

// pools compares pools of workers: this module's, pebble's and concurrent.futures'.
func (b *bench) pools() []measurement {
	const ours, pebble, futures = "ours", "pebble", "concurrent.futures"
	python := b.pip.python
	inPython := func(name, jobs string) side {
		return side{name, func(ctx context.Context, _ int) (time.Duration, error) {
			return b.pythonPool(ctx, strings.TrimPrefix(name, "concurrent."), jobs)
		}}
	}
	rate := figure{
		value: func(seconds float64) float64 { return poolJobs / seconds },
		text:  func(perSecond float64) string { return fmt.Sprintf("%.0f/s", perSecond) },
	}
	return []measurement{
		comparison{
			name: "jobs of a pool, short ones", figure: rate, once: true, share: 3,
			sides: []side{
				{ours, func(ctx context.Context, _ int) (time.Duration, error) { return ourPool(ctx, python, false) }},
				inPython(pebble, "short"), inPython(futures, "short"),
			},
			goals: []goal{{ours, pebble, speed, 5}, {ours, futures, speed, 0}},
		},
		comparison{
			name: "jobs of a pool, 20 hang, 10 exit, 10 crash", figure: rate, once: true, share: 5,
			sides: []side{
				{ours, func(ctx context.Context, _ int) (time.Duration, error) { return ourPool(ctx, python, true) }},
				inPython(pebble, "bad"),
			},
			goals: []goal{{ours, pebble, speed, 0}},
		},
		comparison{
			name: "replacing a worker of a pool that imports numpy", figure: asTime, once: true, share: 3,
			sides: []side{
				{"preload", func(ctx context.Context, _ int) (time.Duration, error) { return replaceWorker(ctx, python, true) }},
				{"a fresh start", func(ctx context.Context, _ int) (time.Duration, error) { return replaceWorker(ctx, python, false) }},
			},
			goals: []goal{{"preload", "a fresh start", longer, 0.1}},
		},
	}
}

// pythonPool runs the jobs in a pool of Python.
func (b *bench) pythonPool(ctx context.Context, name, jobs string) (time.Duration, error) {
	folder, err := os.MkdirTemp("", "bench-pools-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	file := filepath.Join(folder, "pools.py")
	if err := os.WriteFile(file, []byte(poolSource), 0o600); err != nil {
		return 0, err
	}
	cmd := exec.CommandContext(ctx, b.pip.python.path, file, name, strconv.Itoa(runtime.NumCPU()), jobs)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return 0, err
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return time.Duration(seconds * float64(time.Second)), err
}

// newPool makes a pool that logs nothing.
func newPool(ctx context.Context, options pool.Options) (*pool.Pool, error) {
	options.Logger = slog.New(slog.DiscardHandler)
	return pool.New(ctx, options)
}

// sendPools makes the module pools importable in a worker.
func sendPools(ctx context.Context, gw *execnet.Gateway) error {
	ch, err := gw.RemoteExec(ctx, `
		import sys, types
		module = types.ModuleType("pools")
		exec(channel.receive(), module.__dict__)
		sys.modules["pools"] = module
	`)
	if err != nil {
		return err
	}
	if err := ch.Send(ctx, poolSource); err != nil {
		return err
	}
	return ch.WaitClose(ctx)
}

// ourPool runs the jobs in this module's pool.
func ourPool(ctx context.Context, python interpreter, bad bool) (time.Duration, error) {
	p, err := newPool(ctx, pool.Options{
		Specs: slices.Repeat([]string{python.spec()}, runtime.NumCPU()), Init: sendPools, Timeout: 2 * time.Second,
	})
	if err != nil {
		return 0, err
	}
	defer p.Close(ctx)
	for len(p.Stats().Workers) < runtime.NumCPU() {
		time.Sleep(time.Millisecond)
	}
	numbers := make([]int, poolJobs)
	left := slices.Concat(slices.Repeat([]int{-3}, 10), slices.Repeat([]int{-2}, 10), slices.Repeat([]int{-1}, 20))
	failing := 0
	for i := range numbers {
		numbers[i] = i
		if bad && i%250 == 249 {
			numbers[i], left = left[0], left[1:]
			failing++
		}
	}
	begin := time.Now()
	failed := 0
	for result, err := range pool.Map[int](ctx, p, "pools.job", slices.Values(numbers), pool.Window(poolJobs)) {
		switch {
		case err != nil:
			failed++
		case result.Value != numbers[result.Index]+1:
			return 0, fmt.Errorf("job %d returned %d", numbers[result.Index], result.Value)
		}
	}
	took := time.Since(begin)
	if failed != failing {
		return 0, fmt.Errorf("%d jobs failed, instead of %d", failed, failing)
	}
	return took, ctx.Err()
}

// replaceWorker returns the time from a worker's death to the result of the next job.
func replaceWorker(ctx context.Context, python interpreter, preload bool) (time.Duration, error) {
	spec := python.spec()
	if preload {
		spec += "//preload=numpy"
	}
	p, err := newPool(ctx, pool.Options{Specs: []string{spec}})
	if err != nil {
		return 0, err
	}
	defer p.Close(ctx)
	answer := func() error {
		_, err := pool.Call[any](ctx, p, "numpy.geterr")
		return err
	}
	if err := answer(); err != nil {
		return 0, err
	}
	if _, err := pool.Call[any](ctx, p, "os._exit", 3); err == nil {
		return 0, fmt.Errorf("os._exit has returned")
	}
	begin := time.Now()
	if err := answer(); err != nil {
		return 0, err
	}
	return time.Since(begin), nil
}
