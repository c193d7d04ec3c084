//go:build unix

package dialback

import "syscall"

// terminate asks the launcher to end, and with it what it has started or has put into a queue.
func (l *launcher) terminate() {
	// It fails if the launcher has ended.
	_ = l.cmd.Process.Signal(syscall.SIGTERM)
}
