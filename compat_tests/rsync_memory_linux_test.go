package compat_tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
)

// TestRsyncMemory sends a file of 1 GiB, and checks the most memory that the driver and the
// receiver have ever used.
func TestRsyncMemory(t *testing.T) {
	independent(t)
	source, base := places(t)
	require.NoError(t, os.Mkdir(source, 0o700))
	f, err := os.Create(filepath.Join(source, "large"))
	require.NoError(t, err)
	const size = 1 << 30
	require.NoError(t, f.Truncate(size))
	require.NoError(t, f.Close())
	program := commandPath(t) // without the race detector, which needs memory itself
	golang, python := "popen//python="+program+" worker", pythons.Default(t).Spec()
	for name, txs := range map[string][]string{
		"go":     {golang},
		"python": {python},
		// Through another gateway a worker does not copy by itself.
		"go, through another": {golang + "//id=first", golang + "//via=first"},
		"python, through go":  {golang + "//id=first", python + "//via=first"},
	} {
		t.Run(name, func(t *testing.T) {
			dest := filepath.Join(base, name)
			t.Cleanup(func() { removeTree(t, dest) })
			args := []string{"rsync", "-q", source}
			for i, tx := range txs {
				args = append(args, "--tx", tx, []string{dest, "-"}[len(txs)-1-i])
			}
			driver := exec.Command(program, args...)
			stderr := new(textbuffer.Buffer)
			driver.Stderr = stderr
			require.NoError(t, driver.Start())
			ended := make(chan error, 1)
			go func() { ended <- driver.Wait() }()
			peaks := map[int]int{} // by process
			for running, tick := true, time.NewTicker(10*time.Millisecond); running; {
				select {
				case err := <-ended:
					require.NoError(t, err, stderr)
					running = false
				case <-tick.C:
					workers := children(driver.Process.Pid)
					for _, pid := range workers {
						workers = append(workers, children(pid)...) // workers via this one
					}
					for _, pid := range append(workers, driver.Process.Pid) {
						if kib, ok := peakMemory(pid); ok {
							peaks[pid] = kib
						}
					}
				}
			}
			info, err := os.Stat(filepath.Join(dest, "large"))
			require.NoError(t, err)
			require.EqualValues(t, size, info.Size())
			// An interpreter on PATH may be a script that starts others before it becomes one.
			require.GreaterOrEqual(t, len(peaks), 1+len(txs), "driver and workers were seen")
			for pid, kib := range peaks {
				who := "worker"
				if pid == driver.Process.Pid {
					who = "driver"
				}
				t.Logf("%s: %.1f MiB", who, float64(kib)/1024)
				assert.Less(t, kib, 64<<10, who)
			}
		})
	}
}

// peakMemory is the most memory, in KiB, that a process has had so far.
func peakMemory(pid int) (kib int, ok bool) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false // it has ended
	}
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	if !ok {
		return 0, false // a zombie
	}
	_, err = fmt.Sscan(rest, &kib)
	return kib, err == nil
}

// children are the processes that any thread of a process has started.
func children(pid int) (pids []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // a valid pattern
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the thread may have ended
		for _, field := range strings.Fields(string(text)) {
			var child int
			if _, err := fmt.Sscan(field, &child); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}
