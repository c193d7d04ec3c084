package native

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Renice adds increment to this process's niceness, as os.nice does. It reports the system's
// refusal of a smaller one.
//
// To Linux niceness is a thread's, and new threads have that of the one that started them. So every
// thread is changed, until no other one has appeared meanwhile.
func Renice(increment int) error {
	wanted, err := niceness(os.Getpid())
	if err != nil {
		return fmt.Errorf("nice: %w", err)
	}
	wanted = min(max(wanted+increment, -20), 19)
	for changed := true; changed; {
		changed = false
		threads, err := filepath.Glob("/proc/self/task/*")
		if err != nil || len(threads) == 0 {
			return errors.Join(errors.New("nice: the threads of this process cannot be listed"), err)
		}
		for _, path := range threads {
			thread, err := strconv.Atoi(filepath.Base(path))
			if err != nil {
				return fmt.Errorf("nice: %w", err)
			}
			has, err := niceness(thread)
			if err == nil && has != wanted {
				changed = true
				err = unix.Setpriority(unix.PRIO_PROCESS, thread, wanted)
			}
			if err != nil && !errors.Is(err, unix.ESRCH) { // a thread may have ended
				return fmt.Errorf("nice: %w", err)
			}
		}
	}
	return nil
}

// niceness is a thread's. The system call returns 20 minus it, so as never to return a negative
// number.
func niceness(thread int) (int, error) {
	priority, err := unix.Getpriority(unix.PRIO_PROCESS, thread)
	return 20 - priority, err
}
