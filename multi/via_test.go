//go:build unix

package multi_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/xspec"
)

// TestViaEveryPython has each CPython forward to itself and to another one.
func TestViaEveryPython(t *testing.T) {
	t.Parallel()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			g := newGroup(t)
			host := makeGateway(t, g, python.Spec()+"//id=host")
			same := makeGateway(t, g, "popen//via=host")
			other := makeGateway(t, g, pythons.Default(t).Spec()+"//via=host")
			requireWorks(t, same)
			requireWorks(t, other)
			requireWorks(t, host)

			info, err := same.RInfo(within.Soon(t))
			require.NoError(t, err)
			assert.Equal(t, fmt.Sprintf("%d.%d", info.VersionInfo.Major, info.VersionInfo.Minor), python.Version())
			hostInfo, err := host.RInfo(within.Soon(t))
			require.NoError(t, err)
			assert.NotEqual(t, hostInfo.PID, info.PID)
			requireEcho(t, same, 3<<20)
		})
	}
}

// requireEcho sends n bytes in pieces and gets them back.
func requireEcho(t *testing.T, gw *gatewaybase.Gateway, n int) {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), `
		for item in channel:
			channel.send(item)
	`)
	require.NoError(t, err)
	piece := make([]byte, 100_001)
	for i := range piece {
		piece[i] = byte(i * 7)
	}
	sent := make(chan error, 1)
	count := n / len(piece)
	go func() {
		for range count {
			if err := ch.Send(t.Context(), piece); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for range count {
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		if s, ok := item.(string); ok { // Python 2 sends its str, which arrives as latin-1 text
			item = latin1(s)
		}
		require.Equal(t, piece, item)
	}
	require.NoError(t, <-sent)
	require.NoError(t, ch.Close())
}

func latin1(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

func TestViaInstalledExecnet(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	python := pythons.WithExecnet(t)
	makeGateway(t, g, "popen//id=host//bootstrap=import//python="+python)
	requireWorks(t, makeGateway(t, g, "popen//via=host//id=ours"))
	requireWorks(t, makeGateway(t, g, "popen//via=host//bootstrap=import"))
	requireEcho(t, makeGateway(t, g, "popen//via=ours//bootstrap=import"), 1<<20)
}

func TestViaGreenHosts(t *testing.T) {
	t.Parallel()
	for _, model := range []string{"gevent", "eventlet", "main_thread_only"} {
		t.Run(model, func(t *testing.T) {
			g := newGroup(t)
			makeGateway(t, g, "popen//id=host//execmodel="+model+"//python="+pythons.WithExecnet(t))
			sub := makeGateway(t, g, "popen//via=host//execmodel="+model)
			requireWorks(t, sub)
			requireEcho(t, sub, 1<<20)
			assert.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
		})
	}
}

func TestViaSeveralHops(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	makeGateway(t, g, "")
	for i := range 4 {
		makeGateway(t, g, fmt.Sprintf("popen//via=gw%d", i))
	}
	last := g.At(4)
	requireWorks(t, last)
	requireEcho(t, last, 2<<20)
	pids := map[int]bool{}
	for gw := range g.All() {
		pids[pid(t, gw)] = true
	}
	assert.Len(t, pids, 5)
	require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
	assert.Zero(t, g.Len())
}

func TestViaSetsUp(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	makeGateway(t, g, "popen//id=host//python="+pythons.WithExecnet(t))
	for _, extra := range []string{"//nice=3", "//bootstrap=import"} {
		folder := filepath.Join(t.TempDir(), "a", "b")
		gw := makeGateway(t, g, "popen//via=host//chdir="+folder+"//env:EXECNET_GO_TEST=x=y"+extra)
		ch, err := gw.RemoteExec(t.Context(), "import os; channel.send([os.getcwd(), os.environ['EXECNET_GO_TEST'], os.nice(0) - os.getpriority(os.PRIO_PROCESS, os.getppid())])")
		require.NoError(t, err)
		item, err := ch.Receive(within.Soon(t))
		require.NoError(t, err)
		want := []any{folder, "x=y", int64(0)}
		if extra == "//nice=3" {
			want[2] = int64(3)
		}
		assert.Equal(t, want, item)
	}
	_, err := g.MakeGateway(within.Soon(t), "popen//via=host//chdir=/dev/null/x")
	var failed *bootstrap.Error
	require.ErrorAs(t, err, &failed)
	assert.ErrorContains(t, err, "/dev/null/x", "what it wrote to stderr has travelled")
	assert.True(t, failed.Exit.Known)
	assert.Equal(t, 1, failed.Exit.Code)
}

func TestViaErrors(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	_, err := g.MakeGateway(within.Soon(t), "popen//via=nobody")
	var wrong *xspec.Error
	require.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, `no gateway with the id "nobody"`)

	for _, python := range pythons.All(t) {
		host := makeGateway(t, g, python.Spec())
		_, err = g.MakeGateway(within.Soon(t), "popen//via="+host.ID()+"//python=no-such-python")
		var failed *gatewayio.ViaError
		require.ErrorAs(t, err, &failed)
		assert.Equal(t, host.ID(), failed.Via)
		assert.ErrorContains(t, err, "through gateway "+host.ID()+": ")
		assert.ErrorContains(t, err, "No such file")
		_, err = g.MakeGateway(within.Soon(t), "popen//via="+host.ID()+"//python=echo hello")
		assert.ErrorContains(t, err, `got "hello`)
		_, err = g.MakeGateway(within.Soon(t), "popen//via="+host.ID()+"//python=sh -c 'echo sorry >&2; exit 7'")
		assert.ErrorContains(t, err, "exit status 7")
		assert.ErrorContains(t, err, "sorry")
		requireWorks(t, host)

		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		_, err = g.MakeGateway(ctx, "popen//via="+host.ID()+"//python=sh -c 'exec sleep 60'")
		cancel()
		require.ErrorIs(t, err, gatewaybase.ErrTimeout)
		host.Exit()
	}
	dead := makeGateway(t, g, "")
	require.NoError(t, dead.Kill())
	_, err = g.MakeGateway(within.Soon(t), "popen//via="+dead.ID())
	assert.ErrorContains(t, err, "no gateway with the id")
}

// TestViaDeath has a gateway through another one die, and then that other one.
func TestViaDeath(t *testing.T) {
	t.Parallel()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			g := newGroup(t)
			host := makeGateway(t, g, python.Spec())
			var died *gatewaybase.GatewayDiedError

			sub := makeGateway(t, g, "popen//via=gw0")
			ch, err := sub.RemoteExec(t.Context(), "import os, sys; sys.stderr.write('last words'); sys.stderr.flush(); os._exit(5)")
			require.NoError(t, err)
			_, err = ch.Receive(within.Soon(t))
			require.ErrorAs(t, err, &died)
			assert.True(t, died.Exit.Known)
			assert.Equal(t, 5, died.Exit.Code)
			assert.Equal(t, "last words", died.Exit.Stderr)

			sub = makeGateway(t, g, "popen//via=gw0")
			ch, err = sub.RemoteExec(t.Context(), "import os; os.kill(os.getpid(), 9)")
			require.NoError(t, err)
			_, err = ch.Receive(within.Soon(t))
			require.ErrorAs(t, err, &died)
			assert.Equal(t, "killed", died.Exit.Signal.String())

			// Somebody else holds its output open.
			sub = makeGateway(t, g, "popen//via=gw0")
			ch, err = sub.RemoteExec(t.Context(), "import os, subprocess; subprocess.Popen(['sleep', '20'], close_fds=False); channel.send(1); os._exit(0)")
			require.NoError(t, err)
			_, err = ch.Receive(within.Soon(t))
			require.NoError(t, err)
			_, err = ch.Receive(within.Soon(t))
			require.ErrorAs(t, err, &died)

			sub = makeGateway(t, g, "popen//via=gw0")
			subPID := pid(t, sub)
			ch, err = sub.RemoteExec(t.Context(), "channel.receive()")
			require.NoError(t, err)
			require.NoError(t, signal(pid(t, host), killSignal))
			_, err = ch.Receive(within.Soon(t))
			require.ErrorAs(t, err, &died)
			assert.Equal(t, sub.ID(), died.ID)
			var behind *gatewaybase.GatewayDiedError
			require.True(t, errors.As(died.Err, &behind), "%v", err)
			assert.Equal(t, "gw0", behind.ID)
			requireGone(t, subPID)
		})
	}
}

// TestViaInterrupted interrupts the interpreter that forwards, as Ctrl-C at its terminal would.
func TestViaInterrupted(t *testing.T) {
	t.Parallel()
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			g := newGroup(t)
			host := makeGateway(t, g, python.Spec())
			sub := makeGateway(t, g, "popen//via=gw0")
			subPID := pid(t, sub)
			ch, err := sub.RemoteExec(t.Context(), "channel.receive()")
			require.NoError(t, err)
			require.NoError(t, signal(pid(t, host), syscall.SIGINT))
			_, err = ch.Receive(within.Soon(t))
			var died *gatewaybase.GatewayDiedError
			require.ErrorAs(t, err, &died)
			require.NoError(t, sub.Join(within.Soon(t)))
			requireGone(t, subPID)
		})
	}
}

// TestViaBackPressure fills the pipe of an interpreter that does not read: writing waits, others go
// on, the end is quick.
func TestViaBackPressure(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	host := makeGateway(t, g, "")
	sub := makeGateway(t, g, "popen//via=gw0")
	subPID := pid(t, sub)
	require.NoError(t, signal(subPID, stopSignal))
	ch, err := sub.RemoteExec(t.Context(), "channel.receive()")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	sent := 0
	for {
		if err = ch.Send(ctx, make([]byte, 64<<10)); err != nil {
			break
		}
		sent++
		require.Less(t, sent, 100, "nobody takes it, and yet it is sent")
	}
	assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
	requireWorks(t, host)
	requireWorks(t, makeGateway(t, g, "popen//via=gw0"))
	begin := time.Now()
	require.NoError(t, g.Terminate(within.Time(t, 500*time.Millisecond)))
	assert.Less(t, time.Since(begin), 20*time.Second)
	requireGone(t, subPID)
}

// TestViaSSH is execnet's issue 34: an interpreter, behind it an ssh command, behind that another
// interpreter.
func TestViaSSH(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	python := pythons.Default(t).Path
	g := newGroup(t)
	makeGateway(t, g, "popen//id=bastion//python="+python)
	inner := makeGateway(t, g, server.Spec()+"//via=bastion//id=inner//python="+python)
	assert.Equal(t, sshdtest.Alias, inner.RemoteAddress())
	requireWorks(t, inner)
	last := makeGateway(t, g, "popen//via=inner//id=last")
	assert.Equal(t, sshdtest.Alias, last.RemoteAddress())
	requireWorks(t, last)
	requireEcho(t, last, 2<<20)

	native := makeGateway(t, g, server.Spec()+"//id=native//python="+python)
	requireWorks(t, native)
	requireWorks(t, makeGateway(t, g, "popen//via=native"))

	_, err := g.MakeGateway(within.Soon(t), "ssh=-o BatchMode=yes no-such-host.invalid//via=bastion")
	var notFound *gatewayio.HostNotFoundError
	require.ErrorAs(t, err, &notFound)
	assert.True(t, strings.Contains(notFound.Host, "no-such-host.invalid"), notFound.Host)
	assert.ErrorContains(t, err, "resolve")
	_, err = g.MakeGateway(within.Soon(t), "ssh=-o BatchMode=yes no-such-host.invalid")
	require.Error(t, err)
	_, err = g.MakeGateway(within.Soon(t), "ssh=-o BatchMode=yes no-such-host.invalid//sshclient=openssh")
	require.ErrorAs(t, err, &notFound)

	pids := []int{pid(t, inner), pid(t, last), pid(t, native)}
	require.NoError(t, g.Terminate(within.Time(t, 10*time.Second)))
	for _, pid := range pids {
		requireGone(t, pid)
	}
	requireWorks(t, makeGateway(t, g, server.Spec()+"//python="+python))
}

// requireGone waits for a process to end.
func requireGone(t *testing.T, pid int) {
	t.Helper()
	require.Eventually(t, func() bool { return gone(pid) }, 20*time.Second, 5*time.Millisecond, "process %d is still there", pid)
}

// gone reports whether a process has ended.
func gone(pid int) bool {
	state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil {
		_, after, _ := strings.Cut(string(state), ") ")
		return strings.HasPrefix(after, "Z")
	}
	return signal(pid, 0) != nil
}
