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

// crewSize is how many workers one group holds.
const crewSize = 24

// voyage is what a driver with a crew of workers tells: the seconds from nothing to a value from
// each, the seconds to end them, and by how many bytes the driver's process has grown, 0 where that
// cannot be told.
type voyage struct {
	Started, Ended, Grown float64
}

// crews compares drivers of a group of workers, each a process of its own, since memory is measured
// too.
type crews struct{ bench *bench }

func (b *bench) workers() []measurement { return []measurement{crews{b}} }

func (c crews) title() string { return fmt.Sprintf("%d workers in one group", crewSize) }

func (c crews) run(ctx context.Context, rounds int) ([]row, error) {
	const ours, theirs, bare = "ours", "execnet", "bare"
	python := c.bench.pip.python
	sides := []struct {
		name string
		run  func() (voyage, error)
	}{
		{ours, func() (voyage, error) { return driveOurs(ctx, python) }},
		{theirs, func() (voyage, error) { return driveTheirs(ctx, python) }},
		{bare, func() (voyage, error) {
			took, err := startBare(ctx, python, crewSize)
			return voyage{Started: took.Seconds()}, err
		}},
	}
	started, whole, grown := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for round := range max(3, rounds/3) {
		for k := range sides {
			s := sides[(k+round)%len(sides)]
			v, err := s.run()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			started[s.name] = append(started[s.name], v.Started)
			whole[s.name] = append(whole[s.name], v.Started+v.Ended)
			grown[s.name] = append(grown[s.name], v.Grown/crewSize)
		}
	}
	seconds := func(s float64) string { return duration(time.Duration(s * float64(time.Second))) }
	compare := func(what string, g goal, values map[string][]float64, show func(float64) string) row {
		return g.compare(c.title()+", "+what, values[g.side], values[g.against], show)
	}
	rows := []row{
		compare("first results", goal{ours, bare, span, 0}, started, seconds),
		compare("first results", goal{theirs, bare, span, 0}, started, seconds),
		compare("start, call, end", goal{ours, theirs, speed, 0}, whole, seconds),
	}
	if slices.Contains(grown[ours], 0) {
		return append(rows, row{Name: c.title() + ", driver memory", Figure: "not measured: there is no /proc to read it from"}), nil
	}
	each := func(b float64) string { return fmt.Sprintf("%.0f KiB each", b/1024) }
	return append(rows, compare("driver memory", goal{ours, theirs, room, 0}, grown, each)), nil
}

// driveCommand is the argument with which this program runs itself as a driver.
const driveCommand = "drive-crew"

func driveOurs(ctx context.Context, python interpreter) (v voyage, err error) {
	self, err := os.Executable()
	if err != nil {
		return v, err
	}
	cmd := exec.CommandContext(ctx, self, driveCommand, python.path)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(out, &v)
}

func driveTheirs(ctx context.Context, python interpreter) (v voyage, err error) {
	driver, err := startPip(ctx, python.path)
	if err != nil {
		return v, err
	}
	a, err := driver.call("crew", map[string]any{"n": crewSize})
	return a.voyage, errors.Join(err, stop(driver.process))
}

// drive is what the driver does.
func drive(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("%s wants the path of an interpreter", driveCommand)
	}
	spec := interpreter{path: args[1]}.spec()
	group, _, err := crew(ctx, spec, 1)
	if err = errors.Join(err, group.Terminate(context.Background())); err != nil {
		return err
	}
	before := resident()
	begin := time.Now()
	group, channels, err := crew(ctx, spec, crewSize)
	started := time.Since(begin)
	grown := resident() - before
	runtime.KeepAlive(channels)
	begin = time.Now()
	if err = errors.Join(err, group.Terminate(context.Background())); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(voyage{started.Seconds(), time.Since(begin).Seconds(), grown})
}

// crew makes n workers side by side and calls each.
func crew(ctx context.Context, spec string, n int) (*execnet.Group, []*execnet.Channel, error) {
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
