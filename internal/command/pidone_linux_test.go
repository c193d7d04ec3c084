package command

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// asProcessOne has a command start as process 1 of a namespace of its own, as in a container.
func asProcessOne(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	attributes := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID}
	if os.Getuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: os.Getgid(), HostID: os.Getgid(), Size: 1}}
	}
	probe := exec.Command("true")
	probe.SysProcAttr = attributes
	if err := probe.Run(); err != nil {
		t.Skipf("no process namespaces here (%v); the tests of internal/pidone do it without", err)
	}
	cmd.SysProcAttr = attributes
}

const leaveOrphan = `
import os, time
orphan_reads, here_writes = os.pipe()
here_reads, parent_writes = os.pipe()
parent = os.fork()
if parent == 0:
    orphan = os.fork()
    if orphan == 0:
        os.close(here_writes)
        os.read(orphan_reads, 1)    # until the worker closes its end
        while os.getppid() != 1:
            time.sleep(0.02)
        os._exit(3)
    os.write(parent_writes, str(orphan).encode())
    os._exit(0)
orphan = int(os.read(here_reads, 20))
os.waitpid(parent, 0)
os.close(here_writes)
while True:     # a zombie still takes signals
    try:
        os.kill(orphan, 0)
    except ProcessLookupError:
        break
    time.sleep(0.02)
channel.send("reaped")
`

// An ssh server that is process 1 reaps what its workers leave behind, and ends as any other.
func TestSSHServerAsProcessOne(t *testing.T) {
	withPython(t)
	box := newSSHBox(t)
	cmd := box.command()
	cmd.Args = append(cmd.Args, "--engine", "cpython")
	asProcessOne(t, cmd)
	s := startServerCommand(t, cmd)
	g := multi.NewGroup()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Soon(t))) })
	ctx := within.Soon(t)
	gw, err := g.MakeGateway(ctx, box.spec(t, s.addr))
	require.NoError(t, err)
	ch, err := gw.RemoteExec(ctx, leaveOrphan)
	require.NoError(t, err)
	text, err := gatewaybase.Receive[string](ctx, ch)
	require.NoError(t, err)
	assert.Equal(t, "reaped", text)
	s.interrupted(t, syscall.SIGTERM)
	assert.Contains(t, s.stderr.String(), "logged in")
}

// Any command may be process 1. Its output and its exit code are those that it always has.
func TestCommandsAsProcessOne(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"info", "popen//self"}, {"exec", "-c", "import sys; sys.exit(3)"}, {"no-such-command"}} {
		cmd := exec.Command(binary, args...)
		asProcessOne(t, cmd)
		_, _ = cmd.CombinedOutput()
		usual := exec.Command(binary, args...)
		_, _ = usual.CombinedOutput()
		assert.Equal(t, usual.ProcessState.ExitCode(), cmd.ProcessState.ExitCode(), "%q", args)
	}
}
