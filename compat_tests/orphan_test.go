//go:build unix

package compat_tests

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
)

// startDriver starts this test program as a driver (see beDriver) and returns the process ids of
// its workers. The test has to end it, and to check what it wrote to stderr.
func startDriver(t *testing.T, specs, mode string, sources ...string) (driver *exec.Cmd, pids []int, stderr *textbuffer.Buffer) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	encoded, err := json.Marshal(sources)
	require.NoError(t, err)
	driver = exec.Command(self)
	driver.Env = append(os.Environ(), driverVariable+"="+specs, driverModeVariable+"="+mode, driverSourcesVariable+"="+string(encoded))
	stderr = new(textbuffer.Buffer)
	driver.Stderr = stderr
	out, err := driver.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, driver.Start())
	lines := bufio.NewScanner(out)
	for range sources {
		require.True(t, lines.Scan(), "%v %s", lines.Err(), stderr)
		pid, err := strconv.Atoi(lines.Text())
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return driver, pids, stderr
}

// TestKilledDriverLeavesNoWorker starts this test program as a driver of two workers, and kills it.
func TestKilledDriverLeavesNoWorker(t *testing.T) {
	everyWorker(t, func(t *testing.T, w worker) {
		driver, pids, stderr := startDriver(t, w.spec(), "", "", "channel.receive()")
		require.NoError(t, driver.Process.Kill())
		_ = driver.Wait() // it was killed, which Wait reports
		requireEnded(t, pids, 10*time.Second)
		assert.Empty(t, stderr.String())
	})
}

// TestStuckWorkersEnd checks that workers end that cannot end as others do, when their driver has
// been killed, and when it has ended in order and with status 0. Over ssh, and where the worker is
// not the process that was started, it cannot kill them.
func TestStuckWorkersEnd(t *testing.T) {
	independent(t)
	t.Parallel() // it takes 20 seconds, and hardly a processor
	sources := []string{
		"import ctypes; ctypes.PyDLL(None).sleep(1000)", // keeps the GIL
		"import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()",
		"import atexit, time; atexit.register(time.sleep, 1000)",
		"import time; kept = channel.gateway.kept = channel.gateway.newchannel(); kept.setcallback(time.sleep, endmarker=1000)",
		"import signal; os.kill(os.getpid(), signal.SIGSTOP)",
	}
	all := pythons.All(t)
	oldest, newest := "//python="+all[0].Path, "//python="+all[len(all)-1].Path
	wrapper := pythons.Program(t, t.TempDir(), "wrapper", "#!/bin/sh\n'"+all[len(all)-1].Path+"' \"$@\"\nexit $?\n")
	ssh := sshdtest.Start(t).Spec()
	for name, specs := range map[string]string{
		"oldest":  "popen" + oldest,
		"newest":  "popen" + newest,
		"wrapper": "popen//python=" + wrapper,
		"ssh":     ssh + newest,
		"openssh": ssh + "//sshclient=openssh" + newest,
		"via":     "popen//id=host" + oldest + "\npopen//via=host//python=" + wrapper,
	} {
		for _, mode := range []string{"killed", "end"} {
			t.Run(name+" "+mode, func(t *testing.T) {
				t.Parallel()
				driver, pids, stderr := startDriver(t, specs, mode, sources...)
				if mode == "end" {
					require.NoError(t, driver.Wait(), stderr)
				} else {
					require.NoError(t, driver.Process.Kill())
					_ = driver.Wait() // it was killed, which Wait reports
				}
				requireEnded(t, pids, 30*time.Second) // 20, and what a busy machine adds
			})
		}
	}
}

func requireEnded(t *testing.T, pids []int, limit time.Duration) {
	t.Helper()
	for _, pid := range pids {
		require.Eventually(t, func() bool { return ended(pid) }, limit, 200*time.Millisecond,
			"worker %d outlives its driver", pid)
	}
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
