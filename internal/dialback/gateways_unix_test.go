//go:build unix

package dialback_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/testsupport/drivers"
	"github.com/go-execnet/execnet/internal/testsupport/printout"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/pool"
	"github.com/go-execnet/execnet/xspec"
)

// launcher writes a launcher and returns its path. It starts its arguments so many times, as the
// script start says, which finds the number in $i, and then does what the script after says. In the
// file pid beside it stands its process id.
func launcher(t *testing.T, n int, start, after string) string {
	t.Helper()
	dir := t.TempDir()
	return pythons.Program(t, dir, "launcher", fmt.Sprintf(`#!/bin/sh
echo $$ > %[1]s/pid.new; mv %[1]s/pid.new %[1]s/pid
i=0
while [ $i -lt %d ]; do
	%s
	i=$((i+1))
done
%s
`, dir, n, start, after))
}

const (
	ranked   = `EXECNET_RANK=$i "$@" &`
	unranked = `"$@" &`
)

// launcherPID waits until a launcher has begun.
func launcherPID(t *testing.T, path string) (pid int) {
	t.Helper()
	soon(t, func() bool {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(path), "pid"))
		if err == nil {
			pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
		}
		return err == nil
	})
	return pid
}

func soon(t *testing.T, condition func() bool) {
	t.Helper()
	require.Eventually(t, condition, 2*time.Minute, 10*time.Millisecond)
}

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func newGroup(t *testing.T) *multi.Group {
	t.Helper()
	g := multi.NewGroup()
	g.Stderr = t.Output()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	return g
}

// python is the default interpreter as a part of a spec.
func python(t *testing.T) string { return "//python=" + pythons.Default(t).Path }

func requireWorks(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	assert.Equal(t, "abab", eval(t, gw, `"ab" * 2`))
}

// eval returns the value of a Python expression.
func eval(t *testing.T, gw *gatewaybase.Gateway, expression string) any {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), "import os, sys\nchannel.send("+expression+")")
	require.NoError(t, err)
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	return item
}

// kinds are the workers: each Python, this program, and a Go worker in Python's place.
func kinds(t *testing.T) map[string]string {
	program, err := os.Executable()
	require.NoError(t, err)
	all := map[string]string{"self": "//self", "go": "//python=" + program}
	for _, p := range pythons.All(t) {
		all[p.Version()] = "//python=" + p.Path
	}
	return all
}

// TestGateways makes gateways of three workers, each of which knows its rank.
func TestGateways(t *testing.T) {
	t.Setenv("SLURM_PROCID", "7") // what this process has been given means nothing to its workers
	for name, what := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			path := launcher(t, 3, ranked, "wait")
			folder := filepath.Join(t.TempDir(), "new")
			g := newGroup(t)
			gateways, err := g.MakeGateways(within.Soon(t), "launch="+path+"//n=3//id=rank//env:COLOR=dark red//chdir="+folder+what)
			require.NoError(t, err)
			require.Len(t, gateways, 3)
			pids := map[int]bool{}
			for rank, gw := range gateways {
				assert.Equal(t, fmt.Sprintf("rank-%d", rank), gw.ID())
				assert.Same(t, gw, g.At(rank))
				assert.Equal(t, rank, gw.Spec().Rank)
				assert.Equal(t, strconv.Itoa(rank), eval(t, gw, `os.environ["EXECNET_RANK"]`))
				assert.Equal(t, "dark red", eval(t, gw, `os.environ["COLOR"]`))
				assert.Nil(t, eval(t, gw, `os.environ.get("EXECNET_LAUNCH")`), "what it starts does not know the secret")
				info, err := gw.RInfo(within.Soon(t))
				require.NoError(t, err)
				real, err := filepath.EvalSymlinks(folder)
				require.NoError(t, err)
				assert.Equal(t, real, info.CWD)
				pids[info.PID] = true
			}
			assert.Len(t, pids, 3)

			// Much at a time, both ways.
			ch, err := gateways[2].RemoteExec(t.Context(), "for x in channel: channel.send(x)")
			require.NoError(t, err)
			large := strings.Repeat("0123456789abcdef", 1<<18)
			for range 4 {
				require.NoError(t, ch.Send(t.Context(), large))
			}
			for range 4 {
				item, err := ch.Receive(within.Soon(t))
				require.NoError(t, err)
				assert.True(t, item == large)
			}
			require.NoError(t, ch.CloseSend())

			pid := launcherPID(t, path)
			require.NoError(t, g.Terminate(within.Soon(t)))
			assert.True(t, gone(pid))
			for pid := range pids {
				soon(t, func() bool { return gone(pid) })
			}
		})
	}
}

// TestOneWorker has launches without n.
func TestOneWorker(t *testing.T) {
	g := newGroup(t)
	path := launcher(t, 0, "", `exec "$@"`)
	for _, spec := range []string{"launch=" + path + python(t), "launch=" + path + "//n=1//id=one//self//listen=0.0.0.0//advertise=localhost", "launch=" + path + "//preload=json" + python(t)} {
		gw, err := g.MakeGateway(within.Soon(t), spec)
		require.NoError(t, err)
		requireWorks(t, gw)
	}
	assert.Equal(t, `<Group ["gw0" "one" "gw1"]>`, g.String())
	gw, err := g.StartGateway(within.Soon(t), "launch="+path+"//self")
	require.NoError(t, err)
	n, err := gatewaybase.RemoteCall[int](within.Soon(t), gw, "words.count", "one two three")
	require.NoError(t, err)
	assert.Equal(t, 3, n)

	_, err = g.MakeGateway(within.Soon(t), "launch="+path+"//n=2")
	var wrong *xspec.Error
	require.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, "MakeGateways")
	_, err = g.Deploy(within.Soon(t), "launch="+path, path)
	var failed *gatewayio.DeployError
	assert.ErrorAs(t, err, &failed)
}

// TestRanks has workers that learn their ranks from other programs' variables, or not at all.
func TestRanks(t *testing.T) {
	for name, start := range map[string]string{
		"slurm":              `SLURM_PROCID=$((1-i)) "$@" &`,
		"mpirun behind srun": `SLURM_PROCID=0 PMI_RANK=0 OMPI_COMM_WORLD_RANK=$((1-i)) "$@" &`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, what := range []string{"//self", python(t)} {
				gateways, err := newGroup(t).MakeGateways(within.Soon(t), "launch="+launcher(t, 2, "I=$i "+start, "wait")+"//n=2"+what)
				require.NoError(t, err)
				for rank, gw := range gateways {
					assert.Equal(t, strconv.Itoa(1-rank), eval(t, gw, `os.environ["I"]`))
				}
			}
		})
	}
	gateways, err := newGroup(t).MakeGateways(within.Soon(t), "launch="+launcher(t, 3, unranked, "wait")+"//n=3//self")
	require.NoError(t, err)
	assert.Len(t, gateways, 3)
}

// TestOtherPythons has interpreters that cannot be forked as they are, and some whose private
// modules are others than the worker's half knows.
func TestOtherPythons(t *testing.T) {
	site := func(text string) string {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "sitecustomize.py"), []byte(text), 0o600))
		return "PYTHONPATH=" + dir + ` "$@"`
	}
	for name, start := range map[string]string{
		"no stdin":      `"$@" <&-`,
		"no stdout":     `"$@" >&-`,
		"threads":       site("import threading, time\nthread = threading.Thread(target=time.sleep, args=(3600,))\nthread.daemon = True\nthread.start()\n"),
		"another _ssl":  site("import ssl, sys, _ssl\nif sys.version_info[0] > 2: del _ssl._SSLContext\n"),
		"another hash":  site("import hashlib, sys\nsys.modules['_hashlib'] = None\n"),
		"closed stderr": `"$@" 2>&-`,
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range pythons.All(t) {
				gw, err := newGroup(t).MakeGateway(within.Soon(t), "launch="+launcher(t, 1, start, "")+"//python="+p.Path)
				require.NoError(t, err)
				requireWorks(t, gw)
				large := strings.Repeat("x", 1<<20)
				ch, err := gw.RemoteExec(t.Context(), "channel.send(channel.receive())")
				require.NoError(t, err)
				require.NoError(t, ch.Send(t.Context(), large))
				item, err := ch.Receive(within.Soon(t))
				require.NoError(t, err)
				assert.True(t, item == large)
			}
		})
	}
}

// TestAsStarted has a forked worker that is as python -c would have started it: its __main__, path,
// arguments, modules (but for those that unpack the program), descriptors and flags.
func TestAsStarted(t *testing.T) {
	for _, p := range pythons.All(t) {
		show := `[sorted(n for n in vars(sys.modules["__main__"]) if n not in ("Message", "Popen2IO")), sys.argv, sys.path[0], sorted(set(sys.modules) - set(["binascii", "zlib"])), sorted(os.listdir("/dev/fd")), "EXECNET_LAUNCH" in os.environ, sys.flags.__repr__()]`
		g := newGroup(t)
		popen, err := g.MakeGateway(within.Soon(t), "popen//python="+p.Path)
		require.NoError(t, err)
		launched, err := g.MakeGateway(within.Soon(t), "launch="+launcher(t, 1, `exec "$@"`, "")+"//python="+p.Path)
		require.NoError(t, err)
		assert.Equal(t, eval(t, popen, show), eval(t, launched, show), p.Version())
	}
}

// missing makes gateways that do not all come, and returns the error of one that is missing.
func missing(t *testing.T, ctx context.Context, spec string) *gatewayio.LaunchError {
	t.Helper()
	_, err := newGroup(t).MakeGateways(ctx, spec)
	var failed *gatewayio.LaunchError
	require.ErrorAs(t, err, &failed)
	return failed
}

func TestLauncherFails(t *testing.T) {
	path := launcher(t, 1, ranked, "echo no such partition >&2; exit 3")
	err := missing(t, within.Soon(t), "launch="+path+" -x//n=3//self")
	require.ErrorIs(t, err, gatewayio.ErrLauncherEnded)
	assert.Contains(t, err.Missing, 2)
	assert.Equal(t, 3, err.Exit.Code)
	assert.ErrorContains(t, err, "of 3 workers that \""+path+" -x\" should start have connected (missing: rank ")
	assert.ErrorContains(t, err, "the launcher has ended (exit status 3)")
	assert.ErrorContains(t, err, "no such partition")
	assert.ErrorContains(t, err, "listen=ADDRESS")

	path = launcher(t, 0, "", "echo once; exit 1")
	_, all := newGroup(t).MakeGateways(within.Soon(t), "launch="+path+"//n=3//id=x//self")
	assert.ErrorContains(t, all, "3 of 3 gateways could not be made\n  x-0, x-1, x-2 (launch="+path+"//n=3//id=x//self): 0 of 3 workers")
	assert.Equal(t, 1, strings.Count(all.Error(), "    once"))

	path = launcher(t, 0, "", "kill -9 $$")
	err = missing(t, within.Soon(t), "launch="+path+"//self")
	assert.Equal(t, os.Signal(syscall.SIGKILL), err.Exit.Signal)
	assert.ErrorContains(t, err, "has not connected: the launcher has ended (signal: killed)")

	_, startErr := newGroup(t).MakeGateway(within.Soon(t), "launch=no-such-launcher -n 3")
	var notStarted *gatewayio.StartError
	require.ErrorAs(t, startErr, &notStarted)
	assert.ErrorIs(t, startErr, exec.ErrNotFound)
	assert.ErrorContains(t, startErr, "launch= in the spec")
	_, startErr = newGroup(t).MakeGateway(within.Soon(t), "launch="+path+"//listen=192.0.2.1")
	assert.ErrorContains(t, startErr, "listen=192.0.2.1")
}

// TestWorkersSayWhy has workers that cannot connect: what they print is in the error.
func TestWorkersSayWhy(t *testing.T) {
	for _, what := range []string{"//self", python(t)} {
		err := missing(t, within.Soon(t), "launch="+launcher(t, 0, "", `unset EXECNET_LAUNCH; "$@"; exit 1`)+what)
		assert.ErrorContains(t, err, "hand its environment on")
		err = missing(t, within.Soon(t), "launch="+launcher(t, 0, "", `EXECNET_LAUNCH=127.0.0.1:1,a,b "$@"; exit 1`)+what)
		assert.ErrorContains(t, err, "cannot connect to the driver at 127.0.0.1:1")
		assert.ErrorContains(t, err, "if the driver runs on another one, write listen=ADDRESS")
		err = missing(t, within.Soon(t), "launch="+launcher(t, 0, "", `EXECNET_LAUNCH=${EXECNET_LAUNCH}x "$@"; exit 1`)+what)
		assert.ErrorContains(t, err, "the driver does not take it: it closed the connection")
		assert.ErrorContains(t, err, "it does not know the secret")
		err = missing(t, within.Soon(t), "launch="+launcher(t, 0, "", `EXECNET_RANK=5 "$@"; exit 1`)+what)
		assert.ErrorContains(t, err, "the driver does not take it: its rank is 5, and the launch has n=1 workers")
	}
	noSSL := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(noSSL, "_ssl.py"), []byte("raise ImportError('none here')"), 0o600))
	err := missing(t, within.Soon(t), "launch="+launcher(t, 0, "", `PYTHONPATH=`+noSSL+` "$@"; exit 1`)+python(t))
	assert.ErrorContains(t, err, "no module ssl")

	// A rank that comes twice.
	err = missing(t, within.Soon(t), "launch="+launcher(t, 2, `(EXECNET_RANK=0 "$@" || kill $$) &`, "wait")+"//n=2//self")
	assert.Equal(t, []int{1}, err.Missing)
	assert.ErrorContains(t, err, "another worker with this rank has come")
}

// TestTimeOver has a launcher that waits for something: it is asked to end, and then made to.
func TestTimeOver(t *testing.T) {
	revoked := filepath.Join(t.TempDir(), "revoked")
	for name, script := range map[string]string{
		"polite":   "trap 'echo > " + revoked + "; exit 0' TERM; echo > $0.ready; while :; do sleep 0.02; done",
		"stubborn": "trap '' TERM; echo > $0.ready; while :; do sleep 0.02; done",
	} {
		t.Run(name, func(t *testing.T) {
			path := launcher(t, 1, ranked, script)
			ctx, cancel := context.WithCancelCause(t.Context())
			go func() {
				defer cancel(gatewaybase.ErrTimeout)
				for ctx.Err() == nil {
					if _, err := os.Stat(path + ".ready"); err == nil {
						return
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			err := missing(t, ctx, "launch="+path+"//n=3//self")
			assert.ErrorIs(t, err, gatewaybase.ErrTimeout)
			assert.Contains(t, err.Missing, 2)
			assert.True(t, gone(launcherPID(t, path)), "when MakeGateways returns nothing is left")
		})
	}
	assert.FileExists(t, revoked)
}

// TestLauncherDies kills the launcher of workers that live: they go on.
func TestLauncherDies(t *testing.T) {
	path := launcher(t, 2, ranked, "wait")
	g := newGroup(t)
	gateways, err := g.MakeGateways(within.Soon(t), "launch="+path+"//n=2"+python(t))
	require.NoError(t, err)
	pid := launcherPID(t, path)
	require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	soon(t, func() bool { return gone(pid) })
	for _, gw := range gateways {
		requireWorks(t, gw)
	}
}

// TestWorkerDies kills one of two workers, then the other one.
func TestWorkerDies(t *testing.T) {
	for _, what := range []string{"//self", python(t)} {
		path := launcher(t, 2, ranked, "wait; echo all have ended; exit 4")
		g := newGroup(t)
		gateways, err := g.MakeGateways(within.Soon(t), "launch="+path+"//n=2//id=x"+what)
		require.NoError(t, err)
		kill := func(gw *gatewaybase.Gateway) *gatewaybase.GatewayDiedError {
			info, err := gw.RInfo(within.Soon(t))
			require.NoError(t, err)
			ch, err := gw.RemoteExec(t.Context(), "channel.receive()")
			require.NoError(t, err)
			require.NoError(t, syscall.Kill(info.PID, syscall.SIGKILL))
			_, err = ch.Receive(within.Soon(t))
			var died *gatewaybase.GatewayDiedError
			require.ErrorAs(t, err, &died)
			return died
		}
		died := kill(gateways[0])
		assert.False(t, died.Exit.Known)
		assert.ErrorContains(t, died, "closed the connection; its launcher still runs")
		requireWorks(t, gateways[1])

		// It does not come again while the other one lives.
		again := gateways[0].Spec().Clone()
		_, err = g.MakeGatewaySpec(within.Soon(t), again)
		require.ErrorIs(t, err, gatewayio.ErrLaunchedTogether)

		kill(gateways[1])
		require.NoError(t, gateways[1].Join(within.Soon(t)))
		assert.Equal(t, 4, gateways[1].ExitStatus().Code, "the launcher's")
		assert.Contains(t, gateways[1].ExitStatus().Stderr, "all have ended", "what the launcher has printed")
		first := launcherPID(t, path)

		// Now both come again.
		done := make(chan error)
		go func() {
			_, err := g.MakeGatewaySpec(within.Soon(t), again)
			done <- err
		}()
		other, err := g.MakeGatewaySpec(within.Soon(t), gateways[1].Spec().Clone())
		require.NoError(t, err)
		require.NoError(t, <-done)
		requireWorks(t, other)
		assert.NotEqual(t, first, launcherPID(t, path))
	}
}

// TestKill kills gateways whose workers are stuck.
func TestKill(t *testing.T) {
	for _, what := range kinds(t) {
		path := launcher(t, 2, ranked, "trap '' TERM; wait; while :; do sleep 0.02; done")
		g := newGroup(t)
		gateways, err := g.MakeGateways(within.Soon(t), "launch="+path+"//n=2"+what)
		require.NoError(t, err)
		pids := []int{launcherPID(t, path)}
		for _, gw := range gateways {
			info, err := gw.RInfo(within.Soon(t))
			require.NoError(t, err)
			pids = append(pids, info.PID)
			_, err = gw.RemoteExec(t.Context(), "while True: pass")
			require.NoError(t, err)
		}
		require.NoError(t, gateways[0].Kill())
		soon(t, func() bool { return gone(pids[1]) })
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, g.Terminate(ended))
		for _, pid := range pids {
			soon(t, func() bool { return gone(pid) })
		}
	}
}

// TestDriverDies kills a driver with workers, and one whose launcher has none yet.
func TestDriverDies(t *testing.T) {
	for _, what := range []string{"//self", python(t)} {
		path := launcher(t, 2, ranked, "wait")
		driver := drivers.Start(t, "launch="+path+"//n=2"+what)
		pids := driver.Ready(t)
		require.Len(t, pids, 2)
		pids = append(pids, launcherPID(t, path))
		driver.Kill()
		for _, pid := range pids {
			soon(t, func() bool { return gone(pid) })
		}
	}
	if _, err := os.Stat("/proc/self"); err != nil {
		return // only Linux ends a launcher without workers
	}
	path := launcher(t, 0, "", "exec sleep 3600")
	driver := drivers.Start(t, "launch="+path+"//self")
	pid := launcherPID(t, path)
	driver.Kill()
	soon(t, func() bool { return gone(pid) })
}

// TestGroupEndsALaunch terminates a group whose workers have not come.
func TestGroupEndsALaunch(t *testing.T) {
	g := newGroup(t)
	path := launcher(t, 0, "", "exec sleep 3600")
	failed := make(chan error)
	go func() {
		_, err := g.MakeGateways(t.Context(), "launch="+path+"//n=2//self")
		failed <- err
	}()
	pid := launcherPID(t, path)
	require.NoError(t, g.Terminate(within.Soon(t)))
	assert.ErrorIs(t, <-failed, multi.ErrTerminated)
	assert.True(t, gone(pid))
}

// TestOutput has what workers print come with the ids of their gateways, and what else there is, as
// it is. The trace of a worker that prints it does not tell of itself.
func TestOutput(t *testing.T) {
	for name, what := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			var stderr textbuffer.Buffer
			var lines printout.Printout
			g := newGroup(t)
			g.Stderr, g.Output = &stderr, lines.Add
			path := launcher(t, 2, ranked, "echo from the launcher; wait")
			gateways, err := g.MakeGateways(within.Soon(t), "launch="+path+"//n=2//id=x"+what)
			require.NoError(t, err)
			for i, gw := range gateways {
				_, err = gw.RemoteExec(t.Context(), fmt.Sprintf("import sys\nprint('out %[1]d')\nsys.stderr.write('err %[1]d\\n')", i))
				require.NoError(t, err)
			}
			for i, gw := range gateways {
				lines.Await(t, gw.ID(), multi.Stdout, fmt.Sprintf("out %d", i))
				lines.Await(t, gw.ID(), multi.Stderr, fmt.Sprintf("err %d", i))
			}
			require.NoError(t, g.Terminate(within.Soon(t)))
			assert.Equal(t, "from the launcher\n", stderr.String())

			traced, err := g.MakeGateways(within.Soon(t), "launch="+path+"//n=2//id=y//env:EXECNET_DEBUG=2"+what)
			require.NoError(t, err)
			requireWorks(t, traced[0])
			require.NoError(t, g.Terminate(within.Soon(t)))
			said := strings.Join(lines.Of("y-0", multi.Stderr), "\n")
			assert.Contains(t, said, "received", "the trace of one")
			assert.NotContains(t, said, "sending <Message CHANNEL_DATA channel=0 ", "the trace of what it prints")
		})
	}
}

// TestLastWords kills a Python worker. What it has printed comes, with its id or without.
func TestLastWords(t *testing.T) {
	var stderr textbuffer.Buffer
	var lines printout.Printout
	g := newGroup(t)
	g.Stderr, g.Output = &stderr, lines.Add
	gateways, err := g.MakeGateways(within.Soon(t), "launch="+launcher(t, 2, ranked, "wait")+"//n=2//id=x"+python(t))
	require.NoError(t, err)
	ch, err := gateways[0].RemoteExec(t.Context(), `
		import os
		channel.gateway._output.pipes[2][1].acquire() # the thread that reads has nothing in its hands
		os.write(2, b"last words\n")
		os.kill(os.getpid(), 9)
	`)
	require.NoError(t, err)
	require.Error(t, ch.WaitClose(within.Soon(t)))
	require.NoError(t, g.Terminate(within.Soon(t)))
	assert.Contains(t, stderr.String()+strings.Join(lines.Of("x-0", multi.Stderr), "\n"), "last words")
}

// TestPool has a pool whose workers a launcher starts, beside others.
func TestPool(t *testing.T) {
	path := launcher(t, 2, ranked, "wait")
	p, err := pool.New(within.Soon(t), pool.Options{
		Specs: []string{"launch=" + path + "//n=2" + python(t), "popen" + python(t)}, Retries: 10,
	})
	require.NoError(t, err)
	numbers := func(yield func(int) bool) {
		for n := range 20 {
			if !yield(n) {
				return
			}
		}
	}
	sum := 0
	for result, err := range pool.Map[int](within.Soon(t), p, "operator.neg", numbers) {
		require.NoError(t, err)
		sum += result.Value
	}
	assert.Equal(t, -190, sum)
	require.NoError(t, p.Close(within.Soon(t)))
	assert.True(t, gone(launcherPID(t, path)))
}
