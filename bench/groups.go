package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/go-execnet/execnet"
)

// groupSize is how many workers one group holds.
const groupSize = 24

// groupRun is what a driver measured with a group of workers: the seconds until it had a value from
// each, the seconds to end them, and by how many bytes the driver's process grew, 0 where there is
// no /proc.
type groupRun struct {
	Started, Ended, Grown float64
}

// groupComparison compares drivers of a group of workers. Each driver is a process of its own,
// since its memory is measured too.
type groupComparison struct{ bench *bench }

func (b *bench) groups() []measurement { return []measurement{groupComparison{b}} }

func (c groupComparison) title() string { return fmt.Sprintf("%d workers in one group", groupSize) }

func (c groupComparison) run(ctx context.Context, rounds int, p *progress) ([]row, error) {
	const ours, theirs, bare = "ours", "execnet", "bare"
	python := c.bench.pip.python
	sides := []string{ours, theirs, bare}
	started, whole, grown := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	err := inTurns(ctx, p, fewer(rounds, 3), sides, func(_, i int) (err error) {
		var g groupRun
		switch name := sides[i]; name {
		case ours:
			g, err = driveOurs(ctx, python)
		case theirs:
			g, err = driveTheirs(ctx, python)
		case bare:
			var took time.Duration
			took, err = startBare(ctx, python, groupSize)
			g.Started = took.Seconds()
		}
		started[sides[i]] = append(started[sides[i]], g.Started)
		whole[sides[i]] = append(whole[sides[i]], g.Started+g.Ended)
		grown[sides[i]] = append(grown[sides[i]], g.Grown/groupSize)
		return err
	})
	if err != nil {
		return nil, err
	}
	rows := []row{
		goal{ours, bare, longer, 0}.compare(c.title()+", first results", started, asTime),
		goal{theirs, bare, longer, 0}.compare(c.title()+", first results", started, asTime),
		goal{ours, theirs, speed, 0}.compare(c.title()+", start, call, end", whole, asTime),
	}
	const memory = ", driver memory"
	if slices.Contains(grown[ours], 0) {
		return append(rows, row{Name: c.title() + memory, Figure: "not measured: there is no /proc to read it from"}), nil
	}
	return append(rows, goal{ours, theirs, larger, 0}.compare(c.title()+memory, grown, asMemory)), nil
}

// driveCommand is the argument with which this program runs itself as a driver.
const driveCommand = "drive-group"

func driveOurs(ctx context.Context, python interpreter) (g groupRun, err error) {
	self, err := os.Executable()
	if err != nil {
		return g, err
	}
	cmd := exec.CommandContext(ctx, self, driveCommand, python.path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return g, err
	}
	return g, json.Unmarshal(out, &g)
}

func driveTheirs(ctx context.Context, python interpreter) (g groupRun, err error) {
	driver, err := startPip(ctx, python.path)
	if err != nil {
		return g, err
	}
	a, err := driver.call("group_run", map[string]any{"n": groupSize})
	return a.groupRun, errors.Join(err, stop(driver.process))
}

// driveGroup is what that driver does.
func driveGroup(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%s wants the path of an interpreter", driveCommand)
	}
	spec := interpreter{path: args[1]}.spec()
	group, _, err := makeGroup(ctx, spec, 1)
	if err = errors.Join(err, group.Terminate(context.Background())); err != nil {
		return err
	}
	before := resident()
	begin := time.Now()
	group, channels, err := makeGroup(ctx, spec, groupSize)
	started := time.Since(begin)
	grown := resident() - before
	runtime.KeepAlive(channels)
	begin = time.Now()
	if err = errors.Join(err, group.Terminate(context.Background())); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(groupRun{started.Seconds(), time.Since(begin).Seconds(), grown})
}

// makeGroup makes n workers side by side and calls each.
func makeGroup(ctx context.Context, spec string, n int) (*execnet.Group, []*execnet.Channel, error) {
	group := execnet.NewGroup()
	gateways, err := group.MakeGateways(ctx, slices.Repeat([]string{spec}, n)...)
	if err != nil {
		return group, nil, err
	}
	channels := make([]*execnet.Channel, n)
	for i, gw := range gateways {
		if channels[i], err = gw.RemoteExec(ctx, "channel.send(1)"); err != nil {
			return group, nil, err
		}
	}
	for _, ch := range channels {
		if _, err := ch.Receive(ctx); err != nil {
			return group, nil, err
		}
	}
	return group, channels, nil
}

// resident is how much of this process is in memory, in bytes; 0 where there is no /proc.
func resident() float64 {
	runtime.GC()
	statm, err := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(statm)
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.Atoi(string(fields[1]))
	if err != nil {
		return 0
	}
	return float64(pages * os.Getpagesize())
}
