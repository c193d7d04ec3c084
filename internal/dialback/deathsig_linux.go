package dialback

import (
	"os/exec"
	"syscall"
)

// endWithParent has a command get SIGTERM when the thread that starts it ends, and so when this
// process is killed: a launcher that waits in a queue would otherwise stay there.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
