//go:build unix

package native

import (
	"syscall"
	"testing"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

const hasSignals = true

func isRunning(pid int) bool { return syscall.Kill(pid, 0) == nil }

// TestReferenceSSH has the forwarder run an ssh command, for which a shell stands in.
func TestReferenceSSH(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pythons.Program(t, folder, "ssh", "#!/bin/sh\nfor command; do :; done\nexec sh -c \"$command\"\n")
	drive(t, `
os.environ["PATH"] = args[0] + os.pathsep + os.environ["PATH"]
host = group.makegateway("popen//id=host//python=" + worker)
gw = group.makegateway("ssh=-p 5 me@there//via=host//python=" + python)
assert receive(gw, "channel.send(channel.receive() + 1)", 1) == 2
assert gw._io.remoteaddress == "-p 5 me@there"
`, folder)
}
