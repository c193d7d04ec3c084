package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// suiteMemory compares how much memory runs of a suite take: the proportional set size of all their
// processes, the controlling one included, while each worker is in its first test.
type suiteMemory struct {
	bench   *bench
	suite   testSuite
	workers int
}

func (c suiteMemory) title() string {
	return "suite of " + waiting(c.suite, c.workers).name + ", memory"
}

func (c suiteMemory) run(ctx context.Context, rounds int, p *progress) ([]row, error) {
	if _, err := os.Stat("/proc/self/smaps_rollup"); err != nil {
		return []row{{Name: c.title(), Figure: "not measured: there is no /proc to read it from"}}, nil
	}
	sides := []string{ourRun, xdistRun}
	taken := map[string][]float64{}
	err := inTurns(ctx, p, fewer(rounds, 5), sides, func(_, i int) error {
		bytes, err := c.measure(ctx, sides[i])
		taken[sides[i]] = append(taken[sides[i]], bytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	return []row{goal{ourRun, xdistRun, larger, 0.6}.compare(c.title(), taken, asWholeMemory)}, nil
}

// asWholeMemory shows bytes.
var asWholeMemory = figure{
	value: func(bytes float64) float64 { return bytes },
	text:  func(bytes float64) string { return fmt.Sprintf("%.0f MiB", bytes/(1<<20)) },
}

func (c suiteMemory) measure(ctx context.Context, side string) (float64, error) {
	cmd, err := c.bench.suiteCommand(ctx, side, waiting(c.suite, c.workers), c.workers)
	if err != nil {
		return 0, err
	}
	files := func() []string {
		found, _ := filepath.Glob(filepath.Join(cmd.Dir, "ready-*")) // the pattern is right
		return found
	}
	measured := filepath.Join(cmd.Dir, "measured")
	for _, file := range append(files(), measured) {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
	}
	r, err := startSuite(cmd)
	if err != nil {
		return 0, err
	}
	for deadline := time.Now().Add(5 * time.Minute); len(files()) < c.workers && time.Now().Before(deadline) && ctx.Err() == nil; {
		time.Sleep(10 * time.Millisecond)
	}
	taken, err := treeMemory(r.cmd.Process.Pid)
	if len(files()) < c.workers {
		err = errors.Join(err, fmt.Errorf("there are %d workers instead of %d", len(files()), c.workers))
	}
	err = errors.Join(err, os.WriteFile(measured, nil, 0o600))
	_, endErr := r.end()
	return taken, errors.Join(err, endErr)
}

// treeMemory is the proportional set size of a process and its descendants, in bytes.
func treeMemory(root int) (float64, error) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	children := map[int][]int{}
	for _, stat := range stats {
		text, err := os.ReadFile(stat)
		if err != nil {
			continue // it has ended
		}
		// The name of the program, in parentheses, may contain anything.
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
		pid, err1 := strconv.Atoi(filepath.Base(filepath.Dir(stat)))
		parent, err2 := strconv.Atoi(string(fields[1]))
		if err := errors.Join(err1, err2); err != nil {
			return 0, err
		}
		children[parent] = append(children[parent], pid)
	}
	sum := 0.0
	for left := []int{root}; len(left) > 0; left = left[1:] {
		left = append(left, children[left[0]]...)
		rollup, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", left[0]))
		if err != nil {
			continue // it has ended, too
		}
		for line := range bytes.Lines(rollup) {
			if fields := bytes.Fields(line); len(fields) > 1 && string(fields[0]) == "Pss:" {
				kilobytes, err := strconv.Atoi(string(fields[1]))
				if err != nil {
					return 0, err
				}
				sum += float64(kilobytes) * 1024
			}
		}
	}
	return sum, nil
}
