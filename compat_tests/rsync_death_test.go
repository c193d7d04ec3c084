//go:build unix

package compat_tests

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/rsync"
)

// bulk is a tree that takes long to send: more bytes than a sender has on their way to a receiver
// at a time. A receiver that has got more than smallOnes bytes of it is at the large file, which
// Python's execnet confirms before it writes it.
func bulk() tree {
	tr := tree{"large": file(noise(1, 24<<20)), "z/last": file("last")}
	for i := range 100 {
		tr[fmt.Sprintf("d%d/f%d", i%5, i)] = file(noise(uint64(i), smallOnes/100))
	}
	return tr
}

const smallOnes = 2_000_000

var temporary = regexp.MustCompile(`(^|/)\.[^/]+\.execnet-[A-Z2-7]{8}$`)

// noPartialFiles checks that every file at a destination is complete, except those with the name of
// a temporary file.
func noPartialFiles(t *testing.T, source, dest string) {
	t.Helper()
	want := entries(t, source, keepsAll)
	for name, seen := range entries(t, dest, keepsAll) {
		if !temporary.MatchString(name) && !strings.HasPrefix(seen, "d") {
			assert.Equal(t, want[name], seen, name)
		}
	}
}

func processOf(t *testing.T, gw *execnet.Gateway) int {
	t.Helper()
	info, err := gw.RInfo(within.Soon(t))
	require.NoError(t, err)
	return info.PID
}

// TestRsyncKilledWorker kills one of three receivers in the middle. The others get the whole tree.
// The killed one has no incomplete file, unless it is Python's execnet.
func TestRsyncKilledWorker(t *testing.T) {
	source, base := places(t)
	bulk().make(t, source)
	for _, end := range dependent(kinds(t)) {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			gateways := []*execnet.Gateway{end.open(t), end.open(t), end.open(t)}
			pid := processOf(t, gateways[1])
			var once sync.Once
			// DeltaNever: a file that the worker copies by itself is there before it could be
			// killed.
			r := &rsync.RSync{Source: source, Delta: rsync.DeltaNever}
			r.Callback = func(e rsync.Event) {
				if e.Gateway == gateways[1] && e.Kind == rsync.EventProgress && e.Size > smallOnes {
					once.Do(func() { assert.NoError(t, syscall.Kill(pid, syscall.SIGKILL)) })
				}
			}
			var dests []string
			finished := [3]bool{}
			for i, gw := range gateways {
				dests = append(dests, filepath.Join(base, end.name, fmt.Sprint(i)))
				require.NoError(t, r.AddTarget(gw, dests[i], rsync.TargetOptions{Finished: func() { finished[i] = true }}))
			}
			err := r.Send(within.Soon(t))
			var failed *rsync.TargetError
			require.ErrorAs(t, err, &failed)
			assert.Equal(t, gateways[1].ID(), failed.Gateway)
			var died *execnet.GatewayDiedError
			require.ErrorAs(t, err, &died)
			assert.Equal(t, syscall.SIGKILL, died.Exit.Signal)
			assert.Equal(t, [3]bool{true, false, true}, finished)
			want := entries(t, source, end.keeps)
			for _, i := range []int{0, 2} {
				require.NoError(t, r.Results()[i].Err)
				require.Equal(t, want, entries(t, dests[i], end.keeps))
			}
			if !end.reference && end.keeps.time(usualTime).Equal(usualTime) { // times are exact
				noPartialFiles(t, source, dests[1])
			}

			send(t, rsync.New(source), end.open(t), dests[1], rsync.TargetOptions{})
			require.Equal(t, want, entries(t, dests[1], end.keeps), "the second sync repaired it, and removed what was left")
		})
	}
}

// TestRsyncKilledDriver kills the driver, a process of its own, while a large file is being
// written.
func TestRsyncKilledDriver(t *testing.T) {
	independent(t)
	source, base := places(t)
	bulk().make(t, source)
	large := filepath.Join(source, "large")
	const size = 4 << 30
	require.NoError(t, os.Truncate(large, size)) // mostly a hole, which costs nothing here
	program := commandPath(t)
	for _, end := range ownKinds(t) {
		if len(end.specs) == 1 && end.specs[0] == goWorker {
			end.specs = []string{"popen//python=" + program + " worker"}
		}
		t.Run(end.name, func(t *testing.T) {
			dest := filepath.Join(base, end.name)
			driver := exec.Command(program, "rsync", "-q", source, "--tx", end.specs[0], dest)
			driver.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			stderr := new(textbuffer.Buffer)
			driver.Stderr = stderr
			require.NoError(t, driver.Start())
			require.Eventually(t, func() bool {
				found, err := filepath.Glob(filepath.Join(dest, ".large.execnet-*"))
				return err == nil && len(found) > 0
			}, 20*time.Second, 5*time.Millisecond, "it does not begin to write")
			require.NoError(t, driver.Process.Kill())
			_ = driver.Wait() // it was killed, which Wait reports
			require.Eventually(t, func() bool { return groupEnded(driver.Process.Pid) },
				20*time.Second, 5*time.Millisecond, "its worker does not end")
			assert.Empty(t, stderr.String())
			assert.NoFileExists(t, filepath.Join(dest, "large"))

			// Another driver repairs it. The large file need not be so large for that.
			require.NoError(t, os.Truncate(large, 1<<20))
			defer func() { require.NoError(t, os.Truncate(large, size)) }()
			if end.keeps.time(usualTime).Equal(usualTime) {
				noPartialFiles(t, source, dest)
			}
			send(t, rsync.New(source), end.open(t), dest, rsync.TargetOptions{})
			require.Equal(t, entries(t, source, end.keeps), entries(t, dest, end.keeps))
		})
	}
}

// groupEnded reports whether no process of the group runs. Zombies have ended.
func groupEnded(group int) bool {
	if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		return true
	}
	out, err := exec.Command("ps", "-A", "-o", "pgid=,stat=").Output()
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) == 2 && fields[0] == fmt.Sprint(group) && fields[1][0] != 'Z' {
			return false
		}
	}
	return true
}

// TestRsyncStoppedWorker stops one receiver in the middle, like a machine that hangs. The driver
// gives up this receiver alone.
func TestRsyncStoppedWorker(t *testing.T) {
	source, base := places(t)
	bulk().make(t, source)
	for _, end := range dependent(kinds(t)) {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			good, bad := end.open(t), end.open(t)
			pid := processOf(t, bad)
			t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) }) // may have ended
			const stall = 2 * time.Second
			var once sync.Once
			r := &rsync.RSync{Source: source, Delta: rsync.DeltaNever}
			r.StallTimeout = stall
			r.Callback = func(e rsync.Event) {
				if e.Gateway == bad {
					once.Do(func() { assert.NoError(t, syscall.Kill(pid, syscall.SIGSTOP)) })
				}
			}
			dest := filepath.Join(base, end.name)
			require.NoError(t, r.AddTarget(good, dest, rsync.TargetOptions{}))
			require.NoError(t, r.AddTarget(bad, dest+" bad", rsync.TargetOptions{}))
			began := time.Now()
			err := r.Send(within.Soon(t))
			var stalled *rsync.StallError
			require.ErrorAs(t, err, &stalled)
			assert.Equal(t, stall, stalled.After)
			assert.GreaterOrEqual(t, time.Since(began), stall)
			require.NoError(t, r.Results()[0].Err)
			require.Error(t, r.Results()[1].Err)
			require.Equal(t, entries(t, source, end.keeps), entries(t, dest, end.keeps))
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		})
	}
}
