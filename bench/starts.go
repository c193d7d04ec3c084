package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/kballard/go-shellquote"
	"golang.org/x/sync/errgroup"

	"github.com/go-execnet/execnet"
)

// many is how many gateways are started side by side.
const many = 16

// starts compares starting gateways with starting interpreters.
func (b *bench) starts() []measurement {
	theirs := []side{b.pip.side("start", nil)}
	if b.python.path == b.pip.python.path {
		return b.startsOf(b.python, "", theirs)
	}
	return append(b.startsOf(b.python, "", nil), b.startsOf(b.pip.python, ", execnet's Python", theirs)...)
}

// startsOf compares starts of one interpreter, by us and by others.
func (b *bench) startsOf(python interpreter, label string, others []side) []measurement {
	var comparisons []measurement
	for _, start := range []struct {
		name     string
		n, share int
		aim      float64
	}{
		{"start to first result", 1, 1, 1.25},
		{fmt.Sprintf("%d gateways to first results", many), many, 3, 1.15},
	} {
		c := comparison{
			name:   start.name + label,
			figure: asTime,
			once:   true,
			share:  start.share,
			sides: []side{
				once("ours", func(ctx context.Context) (time.Duration, error) { return startGateways(ctx, python, start.n) }),
				once("bare", func(ctx context.Context) (time.Duration, error) { return startBare(ctx, python, start.n) }),
			},
			goals: []goal{{"ours", "bare", longer, start.aim}},
		}
		for _, other := range others {
			c.sides = append(c.sides, once(other.name, func(ctx context.Context) (time.Duration, error) { return other.run(ctx, start.n) }))
			c.goals = append(c.goals, goal{other.name, "bare", longer, 0})
		}
		comparisons = append(comparisons, c)
	}
	return comparisons
}

// once is a side that does its work once in a sample.
func once(name string, run func(context.Context) (time.Duration, error)) side {
	return side{name, func(ctx context.Context, _ int) (time.Duration, error) { return run(ctx) }}
}

// spec is the spec of a gateway to the interpreter.
func (p interpreter) spec() string { return "popen//python=" + shellquote.Join(p.path) }

// startGateways makes n gateways in one group, side by side, and receives a value from each.
func startGateways(ctx context.Context, python interpreter, n int) (took time.Duration, err error) {
	group := execnet.NewGroup()
	defer func() { err = errors.Join(err, group.Terminate(context.Background())) }()
	start := time.Now()
	var starting errgroup.Group
	for range n {
		starting.Go(func() error {
			gw, err := group.MakeGateway(ctx, python.spec())
			if err != nil {
				return err
			}
			ch, err := gw.RemoteExec(ctx, "channel.send(1)")
			if err != nil {
				return err
			}
			_, err = ch.Receive(ctx)
			return err
		})
	}
	err = starting.Wait()
	return time.Since(start), err
}

// startBare starts the interpreter n times, side by side, with nothing to do.
func startBare(ctx context.Context, python interpreter, n int) (time.Duration, error) {
	start := time.Now()
	var starting errgroup.Group
	for range n {
		starting.Go(func() error { return exec.CommandContext(ctx, python.path, "-c", "pass").Run() })
	}
	err := starting.Wait()
	return time.Since(start), err
}
