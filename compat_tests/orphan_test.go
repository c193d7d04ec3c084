//go:build unix

package compat_tests

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestKilledDriverLeavesNoWorker starts this test program as a driver of two workers, and kills it.
func TestKilledDriverLeavesNoWorker(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		self, err := os.Executable()
		require.NoError(t, err)
		driver := exec.Command(self)
		driver.Env = append(os.Environ(), driverVariable+"="+w.spec())
		stderr := new(buffer)
		driver.Stderr = stderr
		out, err := driver.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, driver.Start())
		lines := bufio.NewScanner(out)
		var pids []int
		for range 2 {
			require.True(t, lines.Scan(), "%v %s", lines.Err(), stderr)
			pid, err := strconv.Atoi(lines.Text())
			require.NoError(t, err)
			pids = append(pids, pid)
		}
		require.NoError(t, driver.Process.Kill())
		_ = driver.Wait() // it was killed, which Wait reports
		for _, pid := range pids {
			require.Eventually(t, func() bool { return ended(pid) }, 10*time.Second, 10*time.Millisecond,
				"worker %d outlives its driver", pid)
		}
		assert.Empty(t, stderr.String())
	})
}

// ended reports whether no process with this id runs. A zombie has ended: only the system's init
// can reap it.
func ended(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	state, err := exec.Command("ps", "-o", "stat=", "-p", strconv.Itoa(pid)).Output()
	return err == nil && len(state) > 0 && state[0] == 'Z'
}
