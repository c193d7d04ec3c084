//go:build unix

package multi_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/relay"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// tricks are the ways in which a worker resists its end.
var tricks = map[string]func(t *testing.T, gw *gatewaybase.Gateway){
	"stopped": func(t *testing.T, gw *gatewaybase.Gateway) {
		require.NoError(t, signal(pid(t, gw), stopSignal))
	},
	"ignoring signals": func(t *testing.T, gw *gatewaybase.Gateway) {
		started(t, gw, `
			import signal, time
			signal.signal(signal.SIGTERM, signal.SIG_IGN)
			signal.signal(signal.SIGINT, signal.SIG_IGN)
			channel.send(1)
			while True:
				time.sleep(1)
		`)
	},
	"blocked writing": func(t *testing.T, gw *gatewaybase.Gateway) {
		started(t, gw, `
			import os
			channel.send(1)
			r, w = os.pipe()
			while True:
				os.write(w, b"x" * 65536)
		`)
	},
	"computing": func(t *testing.T, gw *gatewaybase.Gateway) {
		started(t, gw, "channel.send(1)\nwhile True: pass")
	},
	"not read": func(t *testing.T, gw *gatewaybase.Gateway) {
		started(t, gw, "channel.send(1)\nwhile True: channel.send(b'x' * 100000)")
	},
	"not reading": func(t *testing.T, gw *gatewaybase.Gateway) {
		require.NoError(t, signal(pid(t, gw), stopSignal))
		ch, err := gw.NewChannel()
		require.NoError(t, err)
		sent := make(chan error, 1)
		go func() { sent <- ch.Send(t.Context(), make([]byte, 16<<20)) }()
		t.Cleanup(func() { assert.Error(t, <-sent) })
	},
}

// started has the gateway execute what never ends, and returns when it has begun.
func started(t *testing.T, gw *gatewaybase.Gateway, source string) *gatewaybase.Channel {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), source)
	require.NoError(t, err)
	_, err = ch.Receive(within.Soon(t))
	require.NoError(t, err)
	return ch
}

// TestTerminateIsBounded ends a group in which every worker is stuck in another way, each behind
// each transport.
func TestTerminateIsBounded(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	python := pythons.Default(t)
	transports := map[string]string{
		"popen": python.Spec(),
		"via":   python.Spec() + "//via=host",
		"ssh":   server.Spec() + "//python=" + python.Path,
	}
	for name, spec := range transports {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t)
			makeGateway(t, g, "popen//id=host")
			var pids []int
			for trick, play := range tricks {
				gw := makeGateway(t, g, spec+"//id="+strings.ReplaceAll(trick, " ", "-"))
				pids = append(pids, pid(t, gw))
				play(t, gw)
			}
			begin := time.Now()
			err := g.Terminate(within.Time(t, 500*time.Millisecond))
			assert.Less(t, time.Since(begin), 20*time.Second)
			require.NoError(t, err)
			assert.Zero(t, g.Len())
			if name == "ssh" {
				server.Stop() // it cannot kill what is stopped
				for _, pid := range pids {
					_ = signal(pid, killSignal) // most have ended
				}
			}
			for _, pid := range pids {
				requireGone(t, pid)
			}
		})
	}
}

// TestTerminateBehindAStuckHost stops the worker that another one is reached through.
func TestTerminateBehindAStuckHost(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	host := makeGateway(t, g, "")
	sub := makeGateway(t, g, "popen//via=gw0")
	deep := makeGateway(t, g, "popen//via=gw1")
	subPID, deepPID := pid(t, sub), pid(t, deep)
	require.NoError(t, signal(pid(t, host), stopSignal))
	begin := time.Now()
	require.NoError(t, g.Terminate(within.Time(t, 300*time.Millisecond)))
	assert.Less(t, time.Since(begin), 10*time.Second)
	requireGone(t, subPID)
	requireGone(t, deepPID)
}

// TestTerminateOverACutNetwork ends gateways over ssh whose connection is cut, or lets nothing
// through any more, and one that is reached through such a gateway.
func TestTerminateOverACutNetwork(t *testing.T) {
	t.Parallel()
	server := sshdtest.Start(t)
	python := pythons.Default(t).Path
	for name, harm := range map[string]func(*relay.Relay){"cut": (*relay.Relay).Cut, "frozen": (*relay.Relay).Freeze} {
		t.Run(name, func(t *testing.T) {
			relay := sshdtest.NewRelay(t, server.Addr)
			g := newGroup(t)
			far := makeGateway(t, g, strings.Replace(server.Spec(), "ssh=", "ssh=-o HostKeyAlias=[127.0.0.1]:"+server.Port+" -p "+relay.Port+" ", 1)+"//id=far//python="+python)
			sub := makeGateway(t, g, "popen//via=far")
			pids := []int{pid(t, far), pid(t, sub)}
			harm(relay)
			begin := time.Now()
			require.NoError(t, g.Terminate(within.Time(t, 500*time.Millisecond)))
			assert.Less(t, time.Since(begin), 10*time.Second)
			relay.Cut() // the far side finds out in its own time
			for _, pid := range pids {
				requireGone(t, pid)
			}
		})
	}
}

// TestTerminateShares has a second call with less patience hurry the first.
func TestTerminateShares(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	gw := makeGateway(t, g, "")
	require.NoError(t, signal(pid(t, gw), stopSignal))
	ended := make(chan error, 1)
	go func() { ended <- g.Terminate(within.Time(t, time.Hour)) }()
	require.Eventually(t, gw.Exiting, 10*time.Second, time.Millisecond)
	require.NoError(t, g.Terminate(within.Time(t, 0)))
	require.NoError(t, <-ended)
}

// TestViaEndsWithItsDriver kills a driver: what runs behind its worker's forwarder ends as well,
// however stuck.
func TestViaEndsWithItsDriver(t *testing.T) {
	t.Parallel()
	pids, driver := startProgram(t, "driver")
	require.NoError(t, driver.Process.Kill())
	for _, pid := range pids {
		requireGone(t, pid)
	}
}

func TestNotifyContext(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"patient", "impatient", "terminal"} {
		t.Run(name, func(t *testing.T) {
			pids, program := startProgram(t, name)
			begin := time.Now()
			target := program.Process.Pid
			if name == "terminal" {
				target = -target // Ctrl-C reaches the workers as well
			}
			require.NoError(t, signal(target, syscall.SIGINT))
			if name == "impatient" {
				time.Sleep(300 * time.Millisecond) // two signals at once would count as one
				require.NoError(t, signal(target, syscall.SIGINT))
			}
			require.NoError(t, program.Wait())
			assert.Less(t, time.Since(begin), 10*time.Second)
			for _, pid := range pids {
				requireGone(t, pid)
			}
		})
	}
}

func TestNotifyContextWithoutSignals(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	parent, cancel := context.WithCancelCause(context.Background())
	ctx, stop := g.NotifyContext(parent)
	requireWorks(t, makeGateway(t, g, ""))
	require.NoError(t, ctx.Err())
	require.NoError(t, stop())
	assert.Zero(t, g.Len())
	require.NoError(t, stop())
	assert.Error(t, ctx.Err())

	g.Grace = 1 // nobody is waited for
	ctx, stop = g.NotifyContext(parent)
	makeGateway(t, g, "")
	cancel(os.ErrDeadlineExceeded)
	require.Eventually(t, func() bool { return g.Len() == 0 }, 10*time.Second, time.Millisecond)
	require.NoError(t, stop())
	assert.ErrorIs(t, context.Cause(ctx), os.ErrDeadlineExceeded)
}

// programVariable makes the test binary one of the programs below.
const programVariable = "EXECNET_TEST_PROGRAM"

// startProgram runs this test binary as a program that prints the ids of its workers when they are
// busy.
func startProgram(t *testing.T, name string) (pids []int, program *exec.Cmd) {
	t.Helper()
	program = exec.Command(os.Args[0])
	program.Env = append(os.Environ(), programVariable+"="+name, "EXECNET_PYTHON="+pythons.Default(t).Path)
	program.Stderr = t.Output()
	program.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // its own, as a shell gives it one
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	t.Cleanup(func() {
		_ = program.Process.Kill() // it has ended, mostly
		_ = program.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "ready" {
		var pid int
		_, err := fmt.Sscan(lines.Text(), &pid)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	require.NotEmpty(t, pids)
	return pids, program
}

// runProgram is what the test binary does as a program; it returns its exit status.
func runProgram(name string) int {
	if name == preloadedProgram {
		return runPreloaded()
	}
	g := multi.NewGroup()
	ctx, stop := context.Background(), func() error { return nil }
	switch name {
	case "patient", "terminal":
		g.Grace = 500 * time.Millisecond
		ctx, stop = g.NotifyContext(ctx)
	case "impatient":
		g.Grace = time.Hour
		ctx, stop = g.NotifyContext(ctx)
	}
	gateways, err := g.MakeGateways(ctx, "popen//id=host", "popen//via=host", "popen//via=host")
	if err == nil {
		for i, gw := range gateways {
			var info gatewaybase.RInfo
			if info, err = gw.RInfo(ctx); err != nil {
				break
			}
			fmt.Println(info.PID)
			if i == 1 {
				err = signal(info.PID, stopSignal)
			}
		}
	}
	fmt.Println("ready")
	var ch *gatewaybase.Channel
	if err == nil {
		ch, err = gateways[0].RemoteExec(ctx, "import time\nwhile True: time.sleep(1)")
	}
	if err == nil {
		_, err = ch.Receive(ctx)
	}
	if ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
	}
	var interrupted *multi.InterruptedError
	if err := stop(); err != nil || ctx.Err() == nil || !errors.As(context.Cause(ctx), &interrupted) {
		fmt.Fprintln(os.Stderr, "stop:", err, "cause:", context.Cause(ctx))
		return 1
	}
	return 0
}

func TestTerminateInACallback(t *testing.T) {
	t.Parallel()
	g := newGroup(t)
	ch, err := makeGateway(t, g, "").RemoteExec(t.Context(), "channel.send(1)\nchannel.receive()")
	require.NoError(t, err)
	ended := make(chan error, 1)
	require.NoError(t, ch.SetCallback(func(any) error {
		ended <- g.Terminate(within.Time(t, 300*time.Millisecond))
		return nil
	}, gatewaybase.NoEndmarker))
	select {
	case err := <-ended:
		assert.NoError(t, err)
	case <-within.Soon(t).Done():
		t.Fatal("Terminate waits for the callback that has called it")
	}
	assert.Zero(t, g.Len())
}

// TestTerminatedIsNoSuccess ends executions under way in each way that a program has.
func TestTerminatedIsNoSuccess(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*multi.Group, *gatewaybase.Gateway) error{
		"terminate": func(g *multi.Group, _ *gatewaybase.Gateway) error {
			return g.Terminate(within.Time(t, 50*time.Millisecond))
		},
		"kill": func(_ *multi.Group, gw *gatewaybase.Gateway) error { return gw.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			g := newGroup(t)
			gw := makeGateway(t, g, "")
			ch, err := gw.RemoteExec(t.Context(), `
				import time
				channel.send("up")
				while True:
					try:
						time.sleep(100)
					except BaseException:
						pass
			`)
			require.NoError(t, err)
			_, err = ch.Receive(within.Soon(t))
			require.NoError(t, err)
			called := make(chan error, 1)
			go func() {
				_, err := gw.RemoteCall(within.Soon(t), "time.sleep", 100)
				called <- err
			}()
			time.Sleep(50 * time.Millisecond) // so that the call is under way
			require.NoError(t, end(g, gw))
			assert.ErrorIs(t, ch.WaitClose(within.Soon(t)), multi.ErrTerminated)
			_, err = ch.Receive(within.Soon(t))
			assert.ErrorIs(t, err, multi.ErrTerminated)
			for _, err := range ch.Items(within.Soon(t)) {
				assert.ErrorIs(t, err, multi.ErrTerminated)
			}
			assert.ErrorIs(t, <-called, multi.ErrTerminated)
		})
	}
}
