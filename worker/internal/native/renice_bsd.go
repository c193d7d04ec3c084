//go:build unix && !linux

package native

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Renice adds increment to this process's niceness, as os.nice does. It reports the system's
// refusal of a smaller one.
func Renice(increment int) error {
	has, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if err == nil {
		err = unix.Setpriority(unix.PRIO_PROCESS, 0, min(max(has+increment, -20), 20))
	}
	if err != nil {
		return fmt.Errorf("nice: %w", err)
	}
	return nil
}
