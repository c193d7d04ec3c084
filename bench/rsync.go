package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
	"github.com/go-execnet/execnet/rsync"
)

// The sides that send trees.
const (
	oursToPython = "ours"
	oursToGo     = "ours, Go worker"
	theirRsync   = "execnet"
	realRsync    = "rsync -a"
)

// delivery is a sync that several sides do, each with a tree of its own, so that they meet the same
// things.
type delivery struct {
	bench   *bench
	name    string
	make    func(dir string) error
	change  func(dir string, round int) error // before each sync; nil: the targets have nothing
	single  bool                              // it is one large file
	targets int
	far     bool // over ssh and the slow network
	memory  bool // of the drivers and the workers counts too
	goals   []goal
}

// unchanged changes nothing.
func unchanged(string, int) error { return nil }

func (b *bench) syncs() []measurement {
	near := []goal{{oursToPython, realRsync, span, 1}, {oursToGo, realRsync, span, 1}, {oursToPython, theirRsync, speed, 0}}
	large := []goal{{oursToPython, realRsync, span, 1}, {oursToGo, realRsync, span, 1}, {oursToPython, theirRsync, speed, 10}}
	far := []goal{{oursToPython, realRsync, span, 1}, {oursToPython, theirRsync, speed, 0}}
	files := fmt.Sprintf("%d files of %d bytes", manyFiles, fileSize)
	return []measurement{
		delivery{bench: b, name: "sync of " + files, make: manySmall, targets: 1, goals: near},
		delivery{bench: b, name: "sync of " + files + ", nothing changed", make: manySmall, change: unchanged, targets: 1, goals: near},
		delivery{bench: b, name: "sync of " + files + ", 1% changed", make: manySmall, change: changeSome, targets: 1, goals: near},
		delivery{bench: b, name: "sync of " + files + ", 4 targets", make: manySmall, targets: 4, goals: near},
		delivery{bench: b, name: "sync of 512 MiB in one file", make: oneLarge(largeFile), single: true, targets: 1, memory: true, goals: large},
		delivery{bench: b, name: "sync of 512 MiB in one file, 1% changed", make: oneLarge(largeFile), single: true, change: changePlaces, targets: 1, goals: near},
		delivery{bench: b, name: "sync of " + files + ", over ssh", make: manySmall, targets: 1, far: true, goals: far},
		delivery{bench: b, name: "sync of " + files + ", nothing changed, over ssh", make: manySmall, change: unchanged, targets: 1, far: true, goals: far},
		delivery{bench: b, name: "sync of " + files + ", 1% changed, over ssh", make: manySmall, change: changeSome, targets: 1, far: true, goals: far},
		delivery{bench: b, name: "sync of " + files + ", 4 targets, over ssh", make: manySmall, targets: 4, far: true, goals: far},
		delivery{bench: b, name: "sync of 64 MiB in one file, over ssh", make: oneLarge(farFile), single: true, targets: 1, far: true, goals: far},
		delivery{bench: b, name: "sync of 64 MiB in one file, 1% changed, over ssh", make: oneLarge(farFile), single: true, change: changePlaces, targets: 1, far: true, goals: far},
	}
}

func (d delivery) title() string { return d.name }

// syncDelay is how long the relay holds bytes back each way: 20 ms there and back.
const syncDelay = 10 * time.Millisecond

// outcome is what one sync took: seconds, and bytes of memory at the most, 0 where that is not
// known.
type outcome struct {
	Seconds        float64
	Driver, Worker float64
}

func (d delivery) run(ctx context.Context, rounds int) ([]row, error) {
	program, err := exec.LookPath("rsync")
	if err != nil {
		return []row{{Name: d.name, Figure: "not measured: rsync is not installed"}}, nil
	}
	dir, err := os.MkdirTemp("", "execnet-bench-")
	if err != nil {
		return nil, err
	}
	// A file system is slow to make files for seconds after many were deleted, so that waits for
	// the end.
	d.bench.trees = append(d.bench.trees, dir)
	sides, missing, err := d.sides(ctx, program)
	if err != nil || missing != "" {
		return []row{{Name: d.name, Figure: "not measured: " + missing + " not installed"}}, err
	}
	for name, sync := range sides {
		if err := d.make(filepath.Join(dir, name, "source")); err != nil {
			return nil, err
		}
		if d.change != nil {
			if _, err := sync(filepath.Join(dir, name, "source"), d.places(dir, name, 0)); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	took, driver, worker := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	names := []string{oursToPython, oursToGo, theirRsync, realRsync}
	for round := range max(3, rounds/3) {
		for k := range names {
			name := names[(k+round)%len(names)]
			if sides[name] == nil {
				continue
			}
			source, targets := filepath.Join(dir, name, "source"), d.places(dir, name, round)
			if d.change != nil {
				if err := d.change(source, round); err != nil {
					return nil, err
				}
			}
			o, err := sides[name](source, targets)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if d.single && d.change == nil {
				if err := os.Remove(filepath.Join(targets[0], "large")); err != nil {
					return nil, err
				}
			}
			took[name] = append(took[name], o.Seconds)
			driver[name], worker[name] = append(driver[name], o.Driver), append(worker[name], o.Worker)
		}
	}
	var rows []row
	for _, g := range d.goals {
		rows = append(rows, g.compare(d.name, took[g.side], took[g.against], func(s float64) string {
			return duration(time.Duration(s * float64(time.Second)))
		}))
	}
	if d.memory {
		for _, name := range []string{oursToPython, oursToGo, theirRsync} {
			most, theirs := quantile(driver[name], 1)/(1<<20), quantile(worker[name], 1)/(1<<20)
			r := row{Name: d.name + ", memory at most", Side: name, Figure: fmt.Sprintf("driver %.0f MiB, worker %.0f MiB", most, theirs)}
			if name != theirRsync {
				r.Aim, r.Met = 64, most < 64 && theirs < 64
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// places are the targets of one round: new ones, unless it is about changes.
func (d delivery) places(dir, name string, round int) []string {
	if d.change != nil {
		round = 0
	}
	places := make([]string, d.targets)
	for i := range places {
		places[i] = filepath.Join(dir, name, fmt.Sprintf("target%d-%d", round, i))
	}
	return places
}

// syncer brings the tree at source to all targets.
type syncer func(source string, targets []string) (outcome, error)

// sides are the syncers by name, or what they lack.
func (d delivery) sides(ctx context.Context, program string) (_ map[string]syncer, missing string, err error) {
	// The interpreter that pip's execnet has for its targets: how long one takes to start depends
	// on what is installed in it.
	python, theirs := d.bench.pip.python.spec(), "popen"
	args, host := []string{"-a"}, ""
	if d.far {
		if missing := missingSSH(); missing != "" {
			return nil, missing, nil
		}
		if d.bench.far == nil {
			if d.bench.far, err = startSSHServer(ctx); err != nil {
				return nil, "", err
			}
		}
		d.bench.far.relay.SetDelay(syncDelay)
		python = d.bench.far.spec(d.bench.pip.python)
		theirs = python
		args, host = append(args, "-e", "ssh -F "+d.bench.far.ConfigFile), opensshd.Alias+":"
	}
	sides := map[string]syncer{
		oursToPython: func(source string, targets []string) (outcome, error) { return syncOurs(ctx, python, source, targets) },
		theirRsync: func(source string, targets []string) (outcome, error) {
			a, err := d.bench.pip.call("rsync", map[string]any{"spec": theirs, "source": source, "targets": targets})
			return outcome{a.Seconds, a.Driver, a.Worker}, err
		},
		realRsync: func(source string, targets []string) (outcome, error) {
			start := time.Now()
			for _, target := range targets {
				cmd := exec.CommandContext(ctx, program, append(args, source+"/", host+target+"/")...)
				if out, err := cmd.CombinedOutput(); err != nil {
					return outcome{}, fmt.Errorf("%w: %s", err, out)
				}
			}
			return outcome{Seconds: time.Since(start).Seconds()}, nil
		},
	}
	if !d.far {
		sides[oursToGo] = func(source string, targets []string) (outcome, error) {
			return syncOurs(ctx, "popen//self", source, targets)
		}
	}
	return sides, "", nil
}

// syncCommand is the argument with which this program runs itself as a driver that sends a tree.
const syncCommand = "drive-sync"

// syncOurs has a driver of its own send the tree, as rsync is a process of its own.
func syncOurs(ctx context.Context, spec, source string, targets []string) (o outcome, err error) {
	self, err := os.Executable()
	if err != nil {
		return o, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{syncCommand, spec, source}, targets...)...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	took := time.Since(start)
	if err != nil {
		return o, err
	}
	err = json.Unmarshal(out, &o)
	o.Seconds = took.Seconds()
	return o, err
}

// driveSync is what that driver does: args are the command, a spec, the source and the targets.
func driveSync(ctx context.Context, args []string) (err error) {
	if len(args) < 4 {
		return fmt.Errorf("%s wants a spec, a directory and where to send it", syncCommand)
	}
	defer func() { err = errors.Join(err, execnet.Terminate(context.Background())) }()
	sync := rsync.New(args[2])
	var gateways []*execnet.Gateway
	for _, target := range args[3:] {
		gw, err := execnet.DefaultGroup.StartGateway(ctx, args[1])
		if err != nil {
			return err
		}
		gateways = append(gateways, gw)
		if err := sync.AddTarget(gw, target, rsync.TargetOptions{}); err != nil {
			return err
		}
	}
	if err := sync.Send(ctx); err != nil {
		return err
	}
	var o outcome
	o.Driver, err = peak("self")
	if err == nil && gateways[0].RemoteAddress() == "" {
		info, infoErr := gateways[0].RInfo(ctx)
		if infoErr != nil {
			return infoErr
		}
		o.Worker, err = peak(strconv.Itoa(info.PID))
	}
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(o))
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s*(\d+) kB$`)

// peak is the most memory that a process has had, in bytes; 0 where there is no /proc.
func peak(process string) (float64, error) {
	status, err := os.ReadFile("/proc/" + process + "/status")
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	m := peakLine.FindSubmatch(status)
	if err != nil || m == nil {
		return 0, err
	}
	kB, err := strconv.ParseFloat(string(m[1]), 64)
	return kB * 1024, err
}
