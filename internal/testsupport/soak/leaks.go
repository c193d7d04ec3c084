package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// counts is what a process has: goroutines, descriptors, children, temporary files. What the
// system does not tell is 0.
type counts struct {
	goroutines, descriptors, children, files int
}

func (s *soak) count() counts {
	c := counts{goroutines: runtime.NumGoroutine()}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		c.descriptors = len(fds)
	}
	c.children = len(children())
	// No path of this folder, which is the soak's own, is hidden from it.
	_ = filepath.WalkDir(s.temporary, func(string, os.DirEntry, error) error { c.files++; return nil })
	return c
}

// children are the processes that this one has started and not reaped, as far as /proc tells.
func children() (pids []int) {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range stats {
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if parent(pid) == os.Getpid() {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parent is the process that a process belongs to, 0 if that is not known.
func parent(pid int) int {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// pid (name) state ppid: the name may have blanks and parentheses.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	ppid, _ := strconv.Atoi(fields[1])
	return ppid
}

// leaks are what is more than before, and stays so for some seconds.
func (s *soak) leaks(before counts) (all []string) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		all = nil
		now := s.count()
		for _, c := range []struct {
			what        string
			before, now int
		}{
			{"goroutines", before.goroutines, now.goroutines},
			{"descriptors", before.descriptors, now.descriptors},
			{"children", before.children, now.children},
			{"temporary files", before.files, now.files},
		} {
			if c.now > c.before {
				all = append(all, fmt.Sprintf("%d %s", c.now-c.before, c.what))
			}
		}
		if len(all) == 0 || time.Now().After(deadline) {
			break
		}
		runtime.GC() // channels that nobody holds close themselves
	}
	if len(all) > 0 {
		fmt.Fprintf(s.log, "%s\n", stacks())
	}
	return all
}

// awaitGone waits until no process of the id is left.
func awaitGone(pid int) error {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if !alive(pid) {
			return nil
		}
	}
	return fmt.Errorf("process %d is still there after %v", pid, limit)
}

// stacks shows what each goroutine does.
func stacks() []byte {
	text := make([]byte, 1<<20)
	return text[:runtime.Stack(text, true)]
}
