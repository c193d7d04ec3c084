//go:build unix

package testrun_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

// around has tests before and behind the one that does something to its worker.
func around(body string) files {
	return files{"test_it.py": `
import ctypes, os, pytest, signal, subprocess, sys, time

@pytest.mark.parametrize("i", range(20))
def test_before(i): pass

def test_does_it():
` + indent(body) + `

@pytest.mark.parametrize("i", range(20))
def test_behind(i): pass
`}
}

func indent(body string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(body), "\n", "\n    ")
}

// assertOnlyTheirs checks that a text with stacks shows nothing of the worker and of the plugin.
func assertOnlyTheirs(t *testing.T, text string) {
	t.Helper()
	assert.NotContains(t, text, "execnet_go_")
	assert.NotContains(t, text, "<string>")
	assert.NotContains(t, text, "\n\n\n")
}

// What ends a worker fails the test that ran, and no other one.
func TestCrashes(t *testing.T) {
	for name, c := range map[string]struct{ body, reason, text string }{
		"os._exit":  {"os._exit(3)", "exit status 3", ""},
		"segfault":  {"ctypes.string_at(0)", "segmentation fault", "in test_does_it"},
		"abort":     {"os.abort()", "signal: aborted", "in test_does_it"},
		"kill":      {"os.kill(os.getpid(), signal.SIGKILL)", "signal: killed", ""},
		"all fds":   {"os.closerange(0, 100); os._exit(4)", "died", ""},
		"its pipes": {"os.closerange(3, 100); time.sleep(100)", "its far end has closed its output", ""},
		"late exit": {"sys.stderr.write('x' * 100000); os._exit(5)", "exit status 5", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := runFiles(t, 2, around(c.body), testrun.Config{MaxRestarts: 1})
			require.NoError(t, r.err)
			assert.Equal(t, testrun.TestsFailed, r.code)
			outcomes := r.outcomes(t)
			assert.Len(t, outcomes, 41)
			for id, outcome := range outcomes {
				want := testrun.Passed
				if id == "test_it.py::test_does_it" {
					want = testrun.Crashed
				}
				assert.Equal(t, want, outcome, id)
			}
			crashed := r.test(t, "test_it.py::test_does_it")
			assert.Contains(t, crashed.Reason, c.reason)
			assert.Contains(t, crashed.Phases[0].Text, c.text)
			assertOnlyTheirs(t, crashed.Phases[0].Text)
			assert.Equal(t, "test_it.py", crashed.Phases[0].Path)
			down := of[*testrun.WorkerDown](r)
			require.Len(t, down, 1)
			assert.Equal(t, "gw2", down[0].Replaced)
			assert.Equal(t, "test_it.py::test_does_it", down[0].Test.ID)
			assert.Error(t, down[0].Err)
		})
	}
}

// What a test does to its process without ending it hurts nobody.
func TestHarmless(t *testing.T) {
	for name, c := range map[string]struct {
		body    string
		outcome testrun.Outcome
	}{
		"sys.exit":       {"sys.exit(0)", testrun.Failed},
		"close fd 1":     {"os.close(1)", testrun.Passed},
		"read stdin":     {"assert os.read(0, 10) == b''", testrun.Passed},
		"fork and exit":  {"pid = os.fork()\nif not pid: os._exit(0)\nos.waitpid(pid, 0)", testrun.Passed},
		"fork and raise": {"pid = os.fork()\nif not pid: raise RuntimeError\nos.waitpid(pid, 0)", testrun.Passed},
		"fork and go on": {"pid = os.fork()\nif pid: os.waitpid(pid, 0)", testrun.Passed},
		"child stays":    {"subprocess.Popen(['sleep', '100'])", testrun.Passed},
		"megabytes":      {"for i in range(50): print('x' * 100000)", testrun.Passed},
		"surrogates":     {"raise ValueError('\\udc80 \\x00')", testrun.Failed},
		"chdir":          {"os.chdir('/')", testrun.Passed},
		"no folder":      {"os.mkdir('gone')\nos.chdir('gone')\nos.rmdir('../gone')", testrun.Passed},
		"another pid":    {"os.getpid = lambda: 1", testrun.Passed},
		"no stdout":      {"sys.stdout = sys.__stdout__ = sys.stderr = None", testrun.Passed},
		"no environment": {"os.environ.clear()", testrun.Passed},
		"warnings":       {"import warnings\nwarnings.simplefilter('error')", testrun.Passed},
		"no threads":     {"import threading\nthreading.Thread.start = None", testrun.Passed},
		"event loop":     {"import asyncio\nloop = asyncio.new_event_loop()\nloop.call_soon(loop.stop)\nloop.run_forever()\nloop.close()", testrun.Passed},
		"interrupt":      {"time.time = None", testrun.Passed},
		"system threads": {"import threading\nthreading.Thread(target=time.sleep, args=(100,), daemon=True).start()", testrun.Passed},
	} {
		t.Run(name, func(t *testing.T) {
			f := around(c.body)
			r := runFiles(t, 2, f, testrun.Config{})
			require.NoError(t, r.err)
			outcomes := r.outcomes(t)
			assert.Len(t, outcomes, 41)
			assert.Equal(t, c.outcome, outcomes["test_it.py::test_does_it"], "%+v", r.test(t, "test_it.py::test_does_it").Phases)
			delete(outcomes, "test_it.py::test_does_it")
			for id, outcome := range outcomes {
				assert.Equal(t, testrun.Passed, outcome, id)
			}
			assert.Empty(t, of[*testrun.WorkerDown](r))
		})
	}
}

func TestPrinted(t *testing.T) {
	r := runFiles(t, 2, files{"test_it.py": `
import os
def test_says():
    print("said")
    os.system("echo by a child")
`}, testrun.Config{Args: []string{"-s"}})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.OK, r.code)
	assert.Equal(t, "said\nby a child\n", r.printed())
}

// A test that does not end is told with its stack, and another worker goes on.
func TestTimeout(t *testing.T) {
	for name, body := range map[string]string{"sleeps": "time.sleep(1000)", "computes": "while True: pass",
		"keeps the GIL": "ctypes.PyDLL(None).sleep(1000)"} {
		t.Run(name, func(t *testing.T) {
			r := runFiles(t, 2, around(body), testrun.Config{MaxRestarts: 4, Timeout: 2 * time.Second})
			require.NoError(t, r.err)
			assert.Equal(t, testrun.TestsFailed, r.code)
			assert.Len(t, r.outcomes(t), 41)
			hung := r.test(t, "test_it.py::test_does_it")
			assert.Equal(t, testrun.Crashed, hung.Outcome)
			assert.Equal(t, "it did not end within 2s", hung.Reason)
			assert.Contains(t, hung.Phases[0].Text, "in test_does_it")
			assertOnlyTheirs(t, hung.Phases[0].Text)
		})
	}
}

func TestContextEnds(t *testing.T) {
	dir := around("time.sleep(1000)").Write(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	begin := time.Now()
	r := runIn(t, ctx, dir, 2, testrun.Config{}, func(e testrun.Event) {
		if e, ok := e.(*testrun.TestStarted); ok && e.Test.ID == "test_it.py::test_does_it" {
			begin = time.Now()
			time.AfterFunc(100*time.Millisecond, cancel)
		}
	})
	assert.ErrorIs(t, r.err, context.Canceled)
	assert.Equal(t, testrun.Interrupted, r.code)
	assert.Less(t, time.Since(begin), 30*time.Second)
	hung := r.test(t, "test_it.py::test_does_it")
	assert.Equal(t, testrun.Crashed, hung.Outcome)
	assert.Contains(t, hung.Phases[0].Text, "in test_does_it")
}

// Ctrl-C at a terminal interrupts workers at the same time as the driver.
func TestInterruptedTogether(t *testing.T) {
	dir := around("print(os.getpid())\ntime.sleep(1000)").Write(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// What a test prints may come before the message that it has begun.
	started, pid := false, 0
	r := runIn(t, ctx, dir, 2, testrun.Config{Args: []string{"-s"}}, func(e testrun.Event) {
		if ctx.Err() != nil {
			return
		}
		switch e := e.(type) {
		case *testrun.TestStarted:
			started = started || e.Test.ID == "test_it.py::test_does_it"
		case *testrun.Printed:
			if number, err := strconv.Atoi(e.Text); err == nil {
				pid = number
			}
		}
		if started && pid != 0 {
			cancel()
			assert.NoError(t, syscall.Kill(pid, syscall.SIGINT))
		}
	})
	assert.ErrorIs(t, r.err, context.Canceled)
	assert.Equal(t, testrun.Interrupted, r.code)
	hung := r.test(t, "test_it.py::test_does_it")
	assert.Equal(t, testrun.Crashed, hung.Outcome)
	assert.Contains(t, hung.Phases[0].Text, "in test_does_it")
}

func TestMaxFail(t *testing.T) {
	for name, c := range map[string]testrun.Config{
		"config":    {MaxFail: 2},
		"arguments": {Args: []string{"--maxfail", "2"}},
		"ini file":  {},
	} {
		t.Run(name, func(t *testing.T) { maxFail(t, c, name == "ini file") })
	}
}

func maxFail(t *testing.T, c testrun.Config, ini bool) {
	var b strings.Builder
	b.WriteString("import time\n")
	for i := range 100 {
		fmt.Fprintf(&b, "def test_%d():\n    time.sleep(0.05)\n    assert 0\n", i)
	}
	b.WriteString("def test_hangs(): time.sleep(1000)\n")
	suite := files{"test_it.py": b.String(), "pytest.ini": "[pytest]\n"}
	if ini {
		suite["pytest.ini"] += "addopts = --maxfail=2\n"
	}
	r := runFiles(t, 2, suite, c)
	require.NoError(t, r.err)
	assert.Equal(t, testrun.TestsFailed, r.code)
	n := len(of[*testrun.TestDone](r))
	assert.GreaterOrEqual(t, n, 2)
	assert.LessOrEqual(t, n, 8)
	assert.Len(t, of[*testrun.TestStarted](r), n)
}

// TestNoMoreRestarts has the others go on when a worker is not replaced.
func TestNoMoreRestarts(t *testing.T) {
	r := runFiles(t, 2, around("os._exit(3)"), testrun.Config{MaxRestarts: 0})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.TestsFailed, r.code)
	assert.Len(t, r.outcomes(t), 41)
	down := of[*testrun.WorkerDown](r)
	require.Len(t, down, 1)
	assert.Empty(t, down[0].Replaced)
	assert.True(t, down[0].AtLimit)
}

// TestAWorkerThatDoesNotStart has one error tell of an interpreter that is not there, and no event
// besides.
func TestAWorkerThatDoesNotStart(t *testing.T) {
	for _, n := range []int{1, 2} {
		python := "/no/such/python"
		r := runFiles(t, n, files{"test_a.py": "def test_a(): pass\n"}, testrun.Config{Specs: specs(t, n, "popen//python="+python)})
		assert.Equal(t, testrun.Internal, r.code)
		require.Error(t, r.err)
		assert.Equal(t, 1, strings.Count(r.err.Error(), python), r.err)
		assert.Equal(t, 1, strings.Count(r.err.Error(), "execnet: "), r.err)
		assert.Empty(t, r.events)
	}
}
