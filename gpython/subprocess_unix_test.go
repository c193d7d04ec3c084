//go:build unix

package gpython

import (
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// gone waits until a process has ended and been reaped.
func gone(t *testing.T, pid any) {
	t.Helper()
	require.Eventually(t, func() bool { return syscall.Kill(int(pid.(int64)), 0) == syscall.ESRCH }, 15*time.Second, 5*time.Millisecond)
}

// TestChildrenEnd ends programs that have children in every way. None of them is left.
func TestChildrenEnd(t *testing.T) {
	for name, source := range map[string]string{
		"in wait":        "p.wait()",
		"in run":         "subprocess.run(['sleep', '1000'], timeout=900)",
		"in communicate": "p.communicate()",
		"in read":        "p.stdout.read()",
		"in lines":       "for line in p.stdout: pass",
		"in a loop":      "while True: pass",
		"os.system":      "import os\nos.system('exec sleep 1000')",
		"at its end":     "pass",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorker(t, nil)
			ch := w.exec(t, "import subprocess\np = subprocess.Popen(['sleep', '1000'], stdout=subprocess.PIPE)\nchannel.send(p.pid)\n"+source)
			pid := receive(t, ch)
			require.NoError(t, syscall.Kill(int(pid.(int64)), 0))
			w.interrupt()
			gone(t, pid)
		})
	}
}

// TestDetachedChildren outlive the program, as with CPython.
func TestDetachedChildren(t *testing.T) {
	w := newWorker(t, nil)
	pid := receive(t, w.exec(t, `
import subprocess
p = subprocess.Popen(['sleep', '1000'], start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
channel.send(p.pid)
`)).(int64)
	w.interrupt()
	time.Sleep(100 * time.Millisecond)
	assert.NoError(t, syscall.Kill(int(pid), 0))
	require.NoError(t, syscall.Kill(int(pid), syscall.SIGKILL))
	gone(t, pid)
}

// TestChildrenInheritNothing looks at the descriptors of a child.
func TestChildrenInheritNothing(t *testing.T) {
	if _, err := os.Stat("/proc/self/fd"); err != nil {
		t.Skip("there is no /proc here that tells the descriptors of a process")
	}
	w := newWorker(t, nil)
	got := w.run(t, `
import subprocess, os
f = open(os.devnull)
fd = os.open(os.devnull, os.O_RDONLY)
p = subprocess.Popen(['cat'], stdin=subprocess.PIPE)
channel.send(subprocess.check_output(['ls', '/proc/self/fd'], text=True))
p.communicate()
`)
	// The last one is of the folder that ls reads.
	assert.Equal(t, []string{"0", "1", "2", "3"}, strings.Fields(got[0].(string)))
}

// TestEnvironmentsAreApart changes the environment of one execution.
func TestEnvironmentsAreApart(t *testing.T) {
	w := newWorker(t, nil)
	const show = "\nimport os, subprocess\nchannel.send([os.environ.get('GPY_OWN'), subprocess.getoutput('echo $GPY_OWN')])"
	assert.Equal(t, []any{[]any{"x", "x"}}, w.run(t, "import os\nos.environ['GPY_OWN'] = 'x'"+show))
	assert.Equal(t, []any{[]any{nil, ""}}, w.run(t, show))
}

// TestThreadsRunWhileChildrenDo waits for children in several threads at a time.
func TestThreadsRunWhileChildrenDo(t *testing.T) {
	w := newWorker(t, nil)
	assert.Equal(t, []any{int64(8)}, w.run(t, `
import subprocess, threading
done = []
def work(n):
    r = subprocess.run(['sh', '-c', 'head -c 300000 /dev/zero; cat'], input=b'x' * 300000, stdout=subprocess.PIPE)
    assert len(r.stdout) == 600000
    done.append(n)
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
channel.send(len(done))
`))
}

func TestMissingNames(t *testing.T) {
	w := newWorker(t, goModules)
	e := w.fails(t, "import os\nos.fork()")
	assert.Equal(t, "AttributeError", e.Exception())
	assert.Contains(t, e.Formatted, "AttributeError: module 'os' has no attribute 'fork'\nThis Go worker's Python has no os.fork")
	for _, source := range []string{"bytearray(2)", "def f(): bytearray(2)\nf()"} {
		e = w.fails(t, source)
		assert.Equal(t, "NameError", e.Exception())
		assert.Contains(t, e.Formatted, "NameError: name 'bytearray' is not defined\nThis Go worker's Python has no bytearray")
	}
	assert.NotContains(t, w.fails(t, "foobar").Formatted, "This Go worker")
	e = w.fails(t, "from socket import create_connection")
	assert.Equal(t, "ImportError", e.Exception())
	assert.Contains(t, e.Formatted, "This Go worker's Python has no socket.create_connection")
	e = w.fails(t, "import subprocess\nsubprocess.Popen(['true'], preexec_fn=print)")
	assert.Equal(t, "NotImplementedError", e.Exception())
	assert.Equal(t, "this Go worker's Python has no Popen(preexec_fn=...)", e.Message())
	e = w.fails(t, "import textstats\ntextstats.nope")
	assert.NotContains(t, e.Formatted, "This Go worker")
}
