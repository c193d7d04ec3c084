//go:build unix

package multi_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// heavy writes the module heavy into a folder, which counts in a file how often it is imported, and
// returns the end of a spec with which it is preloaded.
func heavy(t *testing.T, more string) (spec string, imports func() int) {
	t.Helper()
	folder := t.TempDir()
	counter := filepath.Join(folder, "imports")
	source := "import os\nwith open(" + strconv.Quote(counter) + ", 'a') as f:\n    f.write('x')\nowner = os.getpid()\n" + more
	require.NoError(t, os.WriteFile(filepath.Join(folder, "heavy.py"), []byte(source), 0o600))
	return "//preload=heavy,json//env:PYTHONPATH=" + folder, func() int {
		text, _ := os.ReadFile(counter)
		return len(text)
	}
}

// ask executes an expression.
func ask[T any](t *testing.T, gw *gatewaybase.Gateway, expression string) T {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), "import os, sys\nchannel.send("+expression+")")
	require.NoError(t, err)
	value, err := gatewaybase.Receive[T](within.Soon(t), ch)
	require.NoError(t, err)
	require.NoError(t, ch.WaitClose(within.Soon(t)))
	return value
}

func TestPreloadedWorkersAreForked(t *testing.T) {
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			g := newGroup(t)
			stderr := &textbuffer.Buffer{}
			g.Stderr = stderr
			end, imports := heavy(t, "")
			var gateways []*gatewaybase.Gateway
			for range 3 {
				gateways = append(gateways, makeGateway(t, g, python.Spec()+end))
			}
			pids := map[int]bool{}
			for _, gw := range gateways {
				requireWorks(t, gw)
				pids[ask[int](t, gw, "os.getpid()")] = true
				assert.True(t, ask[bool](t, gw, "'heavy' in sys.modules and 'json' in sys.modules"))
				assert.Equal(t, python.Version(), ask[string](t, gw, "'%d.%d' % sys.version_info[:2]"))
				assert.Equal(t, []string{"-c"}, ask[[]string](t, gw, "sys.argv"))
			}
			assert.Len(t, pids, 3)
			if python.AtLeast(3, 3) {
				assert.Equal(t, 1, imports())
				assert.Empty(t, stderr.String())
			} else {
				assert.Equal(t, 3, imports())
				assert.Equal(t, 1, bytes.Count([]byte(stderr.String()), []byte("each worker imports them itself\n")))
			}

			// It ends in order, and its death is told as that of any other.
			ch, err := gateways[0].RemoteExec(t.Context(), "import os, sys; sys.stderr.write('last words\\n'); sys.stderr.flush(); os._exit(7)")
			require.NoError(t, err)
			var died *gatewaybase.GatewayDiedError
			require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
			assert.Equal(t, 7, died.Exit.Code)
			assert.Contains(t, died.Exit.Stderr, "last words")
			pid := ask[int](t, gateways[1], "os.getpid()")
			require.NoError(t, syscall.Kill(pid, syscall.SIGSEGV))
			require.NoError(t, gateways[1].Join(within.Soon(t)))
			assert.Equal(t, syscall.SIGSEGV, gateways[1].ExitStatus().Signal)
			require.NoError(t, gateways[2].Kill())
			require.NoError(t, gateways[2].Join(within.Soon(t)))
			assert.Equal(t, syscall.SIGKILL, gateways[2].ExitStatus().Signal)
			last := makeGateway(t, g, python.Spec()+end)
			last.Exit()
			require.NoError(t, last.Join(within.Soon(t)))
			assert.Equal(t, gatewaybase.Exit{Known: true}, last.ExitStatus())
		})
	}
}

func TestPreloadSetsUpEachWorker(t *testing.T) {
	g := newGroup(t)
	end, imports := heavy(t, "import random\n")
	folder := t.TempDir()
	spec := pythons.Default(t).Spec() + end
	a := makeGateway(t, g, spec+"//chdir="+folder)
	b := makeGateway(t, g, spec+"//chdir="+folder+"//nice=1")
	assert.Equal(t, 1, imports())
	assert.Equal(t, folder, ask[string](t, a, "os.getcwd()"))
	assert.Equal(t, 1, ask[int](t, b, "os.nice(0)")-ask[int](t, a, "os.nice(0)"))
	assert.NotEqual(t, ask[float64](t, a, "sys.modules['random'].random()"), ask[float64](t, b, "sys.modules['random'].random()"))
	// Another environment is another process, also before anything is imported.
	c := makeGateway(t, g, spec+"//env:OTHER=1")
	assert.Equal(t, 2, imports())
	assert.Equal(t, "1", ask[string](t, c, "os.environ['OTHER']"))
	// The execution model makes no difference to it. Modules may be found in another folder.
	d := makeGateway(t, g, spec+"//execmodel=main_thread_only//chdir="+folder)
	assert.Equal(t, 2, imports())
	requireWorks(t, d)
	requireWorks(t, makeGateway(t, g, spec))
	assert.Equal(t, 3, imports())
}

func TestWhatCannotBePreloaded(t *testing.T) {
	g := newGroup(t)
	stderr := &textbuffer.Buffer{}
	g.Stderr = stderr
	_, err := g.MakeGateway(within.Soon(t), pythons.Default(t).Spec()+"//preload=no_such_module")
	require.ErrorIs(t, err, gatewaybase.Exception("ModuleNotFoundError"))
	require.ErrorContains(t, err, "execnet: gateway gw0 cannot preload no_such_module: ")
	assert.Zero(t, g.Len())
	broken, _ := heavy(t, "raise ValueError('as told')\n")
	_, err = g.MakeGateway(within.Soon(t), pythons.Default(t).Spec()+broken)
	require.EqualError(t, err, "execnet: cannot preload heavy: ValueError: as told")
	assert.Contains(t, stderr.String(), "heavy.py")
	lacking, _ := heavy(t, "import no_such_module\n")
	_, err = g.MakeGateway(within.Soon(t), pythons.Default(t).Spec()+lacking)
	require.EqualError(t, err, "execnet: cannot preload heavy: ModuleNotFoundError: No module named 'no_such_module'")

	end, imports := heavy(t, "import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), daemon=True).start()\n")
	for range 2 {
		requireWorks(t, makeGateway(t, g, pythons.Default(t).Spec()+end))
	}
	assert.Equal(t, 3, imports(), "the server, and each worker")
	assert.Contains(t, stderr.String(), "execnet: preload=heavy,json: these modules have started threads")

	for _, bad := range []string{"preload=os.", "preload=a b;c", "preload=,"} {
		_, err := g.MakeGateway(within.Soon(t), "popen//"+bad)
		assert.ErrorContains(t, err, "is no name of a module", bad)
	}
}

func TestForgetPreloaded(t *testing.T) {
	g := newGroup(t)
	end, imports := heavy(t, "")
	spec := pythons.Default(t).Spec() + end
	old := makeGateway(t, g, spec)
	g.ForgetPreloaded()
	another := makeGateway(t, g, spec)
	assert.Equal(t, 2, imports())
	requireWorks(t, old)
	requireWorks(t, another)
	assert.NotEqual(t, ask[int](t, old, "sys.modules['heavy'].owner"), ask[int](t, another, "sys.modules['heavy'].owner"))
	old.Exit()
	require.NoError(t, old.Join(within.Soon(t)))
	assert.True(t, old.ExitStatus().Known)
}

// If the process dies that has forked them, so do the workers, and the next one gets another.
func TestTheDeathOfAForkServer(t *testing.T) {
	g := newGroup(t)
	end, imports := heavy(t, "")
	spec := pythons.Default(t).Spec() + end
	gw := makeGateway(t, g, spec)
	require.NoError(t, syscall.Kill(ask[int](t, gw, "sys.modules['heavy'].owner"), syscall.SIGKILL))
	require.NoError(t, gw.Join(within.Soon(t)))
	require.Error(t, gw.Err())
	require.Eventually(t, func() bool {
		gw, err := g.MakeGateway(within.Soon(t), spec)
		return err == nil && gw.HasReceiver()
	}, 20*time.Second, 10*time.Millisecond)
	assert.Equal(t, 2, imports())
}

// Over other roads each worker imports by itself.
func TestPreloadElsewhere(t *testing.T) {
	g := newGroup(t)
	host := makeGateway(t, g, pythons.Default(t).Spec())
	end, imports := heavy(t, "")
	for range 2 {
		gw := makeGateway(t, g, pythons.Default(t).Spec()+"//via="+host.ID()+end)
		assert.True(t, ask[bool](t, gw, "'heavy' in sys.modules"))
	}
	assert.Equal(t, 2, imports())
	_, err := g.MakeGateway(within.Soon(t), pythons.Default(t).Spec()+"//via="+host.ID()+"//preload=no_such_module")
	require.ErrorIs(t, err, gatewaybase.Exception("ModuleNotFoundError"))
	assert.Equal(t, 3, g.Len())
}

// A start waits no longer for the imports than its context lasts, and the next one finds them done.
func TestPreloadThatTakesLong(t *testing.T) {
	g := multi.NewGroup()
	end, imports := heavy(t, "import time\ntime.sleep(1)\n")
	spec := pythons.Default(t).Spec() + end
	_, err := g.MakeGateway(within.Time(t, 200*time.Millisecond), spec)
	require.ErrorIs(t, err, gatewaybase.ErrTimeout)
	requireWorks(t, makeGateway(t, g, spec))
	assert.Equal(t, 1, imports())
	require.NoError(t, g.Terminate(within.Soon(t)))
	// Nor does anything wait for it at the end.
	_, err = g.MakeGateway(within.Time(t, 100*time.Millisecond), spec+"//env:OTHER=1")
	require.ErrorIs(t, err, gatewaybase.ErrTimeout)
	begin := time.Now()
	require.NoError(t, g.Terminate(within.Soon(t)))
	assert.Less(t, time.Since(begin), 10*time.Second)
}

// preloadedProgram is a driver that prints the ids of a forked worker and of who has forked it.
const preloadedProgram = "preloaded"

func runPreloaded() int {
	ctx := context.Background()
	gw, err := multi.NewGroup().MakeGateway(ctx, "popen//preload=json")
	if err == nil {
		var ch *gatewaybase.Channel
		if ch, err = gw.RemoteExec(ctx, "import os, time\nchannel.send((os.getpid(), os.getppid()))\nwhile True: time.sleep(1)"); err == nil {
			for pids, err := range gatewaybase.Items[[2]int](ctx, ch) {
				fmt.Println(pids[0], pids[1], err)
			}
		}
	}
	fmt.Println(err)
	return 1
}

// The death of the driver ends the forked workers and who has forked them.
func TestTheDeathOfADriverWithPreload(t *testing.T) {
	driver := exec.Command(os.Args[0])
	driver.Env = append(os.Environ(), programVariable+"="+preloadedProgram, "EXECNET_PYTHON="+pythons.Default(t).Path)
	driver.Stderr = t.Output()
	out, err := driver.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, driver.Start())
	t.Cleanup(func() { _ = driver.Process.Kill() })
	var pids [2]int
	_, err = fmt.Fscan(out, &pids[0], &pids[1])
	require.NoError(t, err)
	require.NoError(t, driver.Process.Kill())
	_ = driver.Wait()
	for _, pid := range pids {
		require.Eventually(t, func() bool { return syscall.Kill(pid, 0) == syscall.ESRCH }, 40*time.Second, 10*time.Millisecond, pid)
	}
}
