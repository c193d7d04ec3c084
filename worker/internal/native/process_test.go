package native

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// readPID reads the line that a sub begins with.
func readPID(t *testing.T, r io.Reader) (pid int) {
	t.Helper()
	line, err := bufio.NewReader(r).ReadString('\n')
	require.NoError(t, err)
	_, err = fmt.Sscan(line, &pid)
	require.NoError(t, err)
	return pid
}

// requireGone waits for a process to end; a zombie whose parent is not this process has ended.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err == nil {
			_, after, _ := strings.Cut(string(state), ") ")
			return strings.HasPrefix(after, "Z")
		}
		return !isRunning(pid)
	}, 20*time.Second, 10*time.Millisecond, "process %d is still there", pid)
}
