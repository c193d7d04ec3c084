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

// syncComparison compares sides that send a tree. Each side has a tree of its own, so that all find
// the same state.
type syncComparison struct {
	bench   *bench
	name    string
	make    func(dir string) error
	change  func(dir string, round int) error // before each sync; nil: the targets are empty
	single  bool                              // the tree is one large file
	targets int
	far     bool // over ssh and the slow network
	memory  bool // measures memory of the drivers and the workers too
	goals   []goal
}

// unchanged changes nothing.
func unchanged(string, int) error { return nil }

func (b *bench) syncs() []measurement {
	near := []goal{{oursToPython, realRsync, longer, 1}, {oursToGo, realRsync, longer, 1}, {oursToPython, theirRsync, speed, 0}}
	large := []goal{{oursToPython, realRsync, longer, 1}, {oursToGo, realRsync, longer, 1}, {oursToPython, theirRsync, speed, 10}}
	far := []goal{{oursToPython, realRsync, longer, 1}, {oursToPython, theirRsync, speed, 0}}
	files := fmt.Sprintf("%d files of %d bytes", manyFiles, fileSize)
	return []measurement{
		syncComparison{bench: b, name: "sync of " + files, make: manySmall, targets: 1, goals: near},
		syncComparison{bench: b, name: "sync of " + files + ", nothing changed", make: manySmall, change: unchanged, targets: 1, goals: near},
		syncComparison{bench: b, name: "sync of " + files + ", 1% changed", make: manySmall, change: changeSome, targets: 1, goals: near},
		syncComparison{bench: b, name: "sync of " + files + ", 4 targets", make: manySmall, targets: 4, goals: near},
		syncComparison{bench: b, name: "sync of 512 MiB in one file", make: oneLarge(largeFile), single: true, targets: 1, memory: true, goals: large},
		syncComparison{bench: b, name: "sync of 512 MiB in one file, 1% changed", make: oneLarge(largeFile), single: true, change: changePlaces, targets: 1, goals: near},
		syncComparison{bench: b, name: "sync of " + files + ", over ssh", make: manySmall, targets: 1, far: true, goals: far},
		syncComparison{bench: b, name: "sync of " + files + ", nothing changed, over ssh", make: manySmall, change: unchanged, targets: 1, far: true, goals: far},
		syncComparison{bench: b, name: "sync of " + files + ", 1% changed, over ssh", make: manySmall, change: changeSome, targets: 1, far: true, goals: far},
		syncComparison{bench: b, name: "sync of " + files + ", 4 targets, over ssh", make: manySmall, targets: 4, far: true, goals: far},
		syncComparison{bench: b, name: "sync of 64 MiB in one file, over ssh", make: oneLarge(farFile), single: true, targets: 1, far: true, goals: far},
		syncComparison{bench: b, name: "sync of 64 MiB in one file, 1% changed, over ssh", make: oneLarge(farFile), single: true, change: changePlaces, targets: 1, far: true, goals: far},
	}
}

func (c syncComparison) title() string { return c.name }

// syncDelay is how long the relay holds bytes back each way: 20 ms there and back.
const syncDelay = 10 * time.Millisecond

// syncResult is what one sync took: seconds, and the peak memory in bytes, 0 where that is not
// known.
type syncResult struct {
	Seconds        float64
	Driver, Worker float64
}

func (c syncComparison) run(ctx context.Context, rounds int, p *progress) ([]row, error) {
	program, err := exec.LookPath("rsync")
	if err != nil {
		return []row{{Name: c.name, Figure: "not measured: rsync is not installed"}}, nil
	}
	dir, err := os.MkdirTemp("", "execnet-bench-")
	if err != nil {
		return nil, err
	}
	// A file system is slow to make files for seconds after many were deleted, so the trees are
	// removed at the end of the program.
	c.bench.trees = append(c.bench.trees, dir)
	syncs, missing, err := c.sides(ctx, program)
	if err != nil || missing != "" {
		return []row{{Name: c.name, Figure: "not measured: " + missing + " not installed"}}, err
	}
	var sides []string
	for _, name := range []string{oursToPython, oursToGo, theirRsync, realRsync} {
		if syncs[name] == nil {
			continue
		}
		sides = append(sides, name)
		p.step("making the tree of " + name)
		source := filepath.Join(dir, name, "source")
		if err := c.make(source); err != nil {
			return nil, err
		}
		if c.change != nil {
			if _, err := syncs[name](source, c.targetDirs(dir, name, 0)); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	took, driver, worker := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	err = inTurns(ctx, p, fewer(rounds, 3), sides, func(round, i int) error {
		name := sides[i]
		source, targets := filepath.Join(dir, name, "source"), c.targetDirs(dir, name, round)
		if c.change != nil {
			if err := c.change(source, round); err != nil {
				return err
			}
		}
		r, err := syncs[name](source, targets)
		took[name] = append(took[name], r.Seconds)
		driver[name], worker[name] = append(driver[name], r.Driver), append(worker[name], r.Worker)
		if err == nil && c.single && c.change == nil {
			err = os.Remove(filepath.Join(targets[0], "large"))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var rows []row
	for _, g := range c.goals {
		rows = append(rows, g.compare(c.name, took, asTime))
	}
	if c.memory {
		for _, name := range []string{oursToPython, oursToGo, theirRsync} {
			driverPeak, workerPeak := quantile(driver[name], 1)/(1<<20), quantile(worker[name], 1)/(1<<20)
			r := row{Name: c.name + ", peak memory", Side: name, Figure: fmt.Sprintf("driver %.0f MiB, worker %.0f MiB", driverPeak, workerPeak)}
			if name != theirRsync {
				r.Aim, r.Met = 64, driverPeak < 64 && workerPeak < 64
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// targetDirs are the targets of one round: new folders, unless changes are measured.
func (c syncComparison) targetDirs(dir, name string, round int) []string {
	if c.change != nil {
		round = 0
	}
	dirs := make([]string, c.targets)
	for i := range dirs {
		dirs[i] = filepath.Join(dir, name, fmt.Sprintf("target%d-%d", round, i))
	}
	return dirs
}

// syncer sends the tree at source to all targets.
type syncer func(source string, targets []string) (syncResult, error)

// sides returns the syncers by name, or the program that is missing.
func (c syncComparison) sides(ctx context.Context, program string) (_ map[string]syncer, missing string, err error) {
	// The interpreter that pip's execnet uses for its targets: its time to start depends on what is
	// installed in it.
	python, theirs := c.bench.pip.python.spec(), "popen"
	args, host := []string{"-a"}, ""
	if c.far {
		if missing := missingSSH(); missing != "" {
			return nil, missing, nil
		}
		server, err := c.bench.sshServer(ctx)
		if err != nil {
			return nil, "", err
		}
		server.relay.SetDelay(syncDelay)
		python = server.spec(c.bench.pip.python)
		theirs = python
		args, host = append(args, "-e", "ssh -F "+server.ConfigFile), opensshd.Alias+":"
	}
	sides := map[string]syncer{
		oursToPython: func(source string, targets []string) (syncResult, error) {
			return syncOurs(ctx, python, source, targets)
		},
		theirRsync: func(source string, targets []string) (syncResult, error) {
			a, err := c.bench.pip.call("rsync", map[string]any{"spec": theirs, "source": source, "targets": targets})
			return syncResult{a.Seconds, a.Driver, a.Worker}, err
		},
		realRsync: func(source string, targets []string) (syncResult, error) {
			start := time.Now()
			for _, target := range targets {
				cmd := exec.CommandContext(ctx, program, append(args, source+"/", host+target+"/")...)
				if out, err := cmd.CombinedOutput(); err != nil {
					return syncResult{}, fmt.Errorf("%w: %s", err, out)
				}
			}
			return syncResult{Seconds: time.Since(start).Seconds()}, nil
		},
	}
	if !c.far {
		sides[oursToGo] = func(source string, targets []string) (syncResult, error) {
			return syncOurs(ctx, "popen//self", source, targets)
		}
	}
	return sides, "", nil
}

// syncCommand is the argument with which this program runs itself as a driver that sends a tree.
const syncCommand = "drive-sync"

// syncOurs sends the tree from a new driver process, since rsync(1) is a process too.
func syncOurs(ctx context.Context, spec, source string, targets []string) (r syncResult, err error) {
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{syncCommand, spec, source}, targets...)...)
	cmd.Stderr = os.Stderr
	start := time.Now()
	out, err := cmd.Output()
	took := time.Since(start)
	if err != nil {
		return r, err
	}
	err = json.Unmarshal(out, &r)
	r.Seconds = took.Seconds()
	return r, err
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
	var r syncResult
	r.Driver, err = peak("self")
	if err == nil && gateways[0].RemoteAddress() == "" {
		info, infoErr := gateways[0].RInfo(ctx)
		if infoErr != nil {
			return infoErr
		}
		r.Worker, err = peak(strconv.Itoa(info.PID))
	}
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(r))
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s*(\d+) kB$`)

// peak is the peak memory of a process, in bytes; 0 where there is no /proc.
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
