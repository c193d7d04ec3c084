package native

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// drive runs pip's execnet as the driver of this program: group and master, a gateway to it, are
// there.
func drive(t *testing.T, program string, args ...string) {
	t.Helper()
	const head = `
import os, sys, time
import execnet
worker, python, args = sys.argv[1], sys.argv[2], sys.argv[3:]
group = execnet.Group()
master = group.makegateway("popen//id=master//python=" + worker)

def receive(gw, source, *items):
    channel = gw.remote_exec(source)
    for item in items:
        channel.send(item)
    item = channel.receive(timeout=20)
    channel.waitclose(20)
    return item

def pid(gw):
    return gw._rinfo().pid

def forget(gw):
    # terminate cannot wait for a gateway through one that has ended.
    gw.exit()
    group._gateways_to_join.remove(gw)

def raises(f):
    try:
        f()
    except Exception as error:
        return str(error)
    raise AssertionError("nothing was raised")

try:
`
	const tail = `
finally:
    group.terminate(timeout=10)
print("done")
`
	program = head + "    " + strings.ReplaceAll(strings.TrimSpace(program), "\n", "\n    ") + tail
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := installedPython(t, append([]string{"-c", program, self, pythons.Default(t).Path}, args...)...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	require.NoError(t, cmd.Start())
	// Kill fails once the process is gone.
	timer := time.AfterFunc(90*time.Second, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	err = cmd.Wait()
	require.NoError(t, err, "%s%s", out.String(), complaints.String())
	assert.Equal(t, "done\n", out.String())
	assert.NotContains(t, complaints.String(), "Warning")
	assert.NotContains(t, complaints.String(), "Traceback")
}

func TestReferenceRInfo(t *testing.T) {
	t.Parallel()
	drive(t, `
info = master._rinfo()
assert info.pid not in (0, os.getpid()), info
assert tuple(info.version_info) == (3, 4, 0, "final", 0), info
assert info.platform == sys.platform, info
assert info.cwd == os.getcwd(), info
assert os.path.samefile(info.executable, worker), info
`)
}

func TestReferenceSetsUp(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "new")
	drive(t, `
folder = args[0]
spec = "popen//id=%s//chdir=%s//nice=3//env:EXECNET_GO_TEST=a=b//python=" + worker
host = group.makegateway(spec % ("host", folder))
assert os.path.samefile(host._rinfo().cwd, folder)
sub = group.makegateway("popen//via=host//python=" + python)
got = receive(sub, "import os; channel.send((os.getcwd(), os.environ['EXECNET_GO_TEST'], os.nice(0)))")
assert os.path.samefile(got[0], folder) and got[1] == "a=b", got
assert got[2] - os.nice(0) == 3, got
error = raises(lambda: group.makegateway(spec % ("none", os.path.join(folder, "two", "levels"))))
assert "two" in error, error
`, folder)
}

func TestReferenceVia(t *testing.T) {
	t.Parallel()
	drive(t, `
echo = "for item in channel: channel.send(item)"
sub = group.makegateway("popen//via=master//id=sub//python=" + python)
assert len(set([os.getpid(), pid(master), pid(sub)])) == 3
for deep in (sub, group.makegateway("popen//via=sub//python=" + python)):
    channel = deep.remote_exec(echo)
    for size in (0, 1, 1000, 17000, 300000, 5000000):
        data = (u"0123456789" * (size // 10 + 1))[:size].encode("ascii")
        channel.send(data)
        channel.send(size)
        assert channel.receive(20) == data
        assert channel.receive(20) == size
    for i in range(2000):
        channel.send(i)
    assert [channel.receive(20) for i in range(2000)] == list(range(2000))
    channel.close()
    channel.waitclose(20)
assert sub._io.remoteaddress == "", sub._io.remoteaddress

own = group.makegateway("popen//via=master//id=own")
last = group.makegateway("popen//via=own//id=last")
behind = group.makegateway("popen//via=last//python=" + python)
assert receive(behind, "channel.send(channel.receive() + 1)", 41) == 42
assert len(set(pid(gw) for gw in (master, own, last, behind))) == 4

behind.exit()
behind.join()
assert behind._io.wait() == 0
assert behind._io.wait() == 0
group._gateways_to_join.remove(behind)
assert receive(sub, "channel.send(2)") == 2
`)
}

func TestReferenceViaFails(t *testing.T) {
	t.Parallel()
	drive(t, `
for command, want in [
    ("no-such-python", "cannot start"), (python + " -c print(42)", "expected a worker's answer"),
    (python + " -c 'raise SystemExit(7)'", "exit status 7"),
]:
    error = raises(lambda: group.makegateway("popen//via=master//python=" + command))
    assert want in error, error
assert pid(master)
`)
}

// TestReferenceViaEnds kills subs, by the driver and otherwise, and the forwarder.
func TestReferenceViaEnds(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "pids")
	drive(t, `
import threading
spec = "popen//via=%s//python=" + python
def gone(gw):
    raises(lambda: receive(gw, "channel.receive()"))
    gw.join(20)

sub = group.makegateway(spec % "master")
raises(lambda: receive(sub, "import os; os._exit(5)"))
gone(sub)
assert sub._io.wait() == 5

sub = group.makegateway(spec % "master")
os.kill(pid(sub), 9)
gone(sub)
assert sub._io.wait() == -9

# Somebody waits for a sub; killing it goes through all the same.
sub = group.makegateway(spec % "master")
channel = sub.remote_exec("import time; channel.send(1); time.sleep(600)")
channel.receive(20)
waiting = threading.Thread(target=sub._io.wait)
waiting.start()
time.sleep(0.2)
assert receive(sub, "channel.send(1)") == 1
sub._io.controlchan.send(1)
waiting.join(20)
assert not waiting.is_alive()
gone(sub)

other = group.makegateway("popen//id=other//python=" + worker)
sub, own = group.makegateway(spec % "other"), group.makegateway("popen//via=other")
with open(args[0], "w") as f:
    f.write("%d %d" % (pid(sub), pid(own)))
os.kill(pid(other), 9)
for gw in (sub, own):
    gone(gw)
    forget(gw)
other.join(20)
`, file)
	pids, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, field := range strings.Fields(string(pids)) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		requireGone(t, pid)
	}
}

// TestReferenceDriverDies kills a driver whose forwarder has a sub that does not end by itself.
func TestReferenceDriverDies(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := installedPython(t, "-c", `
import sys, time, execnet
group = execnet.Group()
master = group.makegateway("popen//id=master//python=" + sys.argv[1])
sub = group.makegateway("popen//via=master//python=" + sys.argv[2])
channel = sub.remote_exec("""
    import os, time, signal
    channel.send(os.getpid())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        time.sleep(600)
""")
print("%d %d" % (master._rinfo().pid, channel.receive()))
sys.stdout.flush()
time.sleep(600)
`, self, pythons.Default(t).Path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	buffer := make([]byte, 100)
	n, err := out.Read(buffer)
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	for _, field := range strings.Fields(string(buffer[:n])) {
		pid, err := strconv.Atoi(field)
		require.NoError(t, err)
		requireGone(t, pid)
	}
}

func TestReferenceInstallsASocketServer(t *testing.T) {
	t.Parallel()
	drive(t, `
for i in range(2):
    gw = group.makegateway("socket//installvia=master//id=s%d" % i)
    assert pid(gw) not in (os.getpid(), pid(master))
    sub = group.makegateway("popen//via=s%d//python=%s" % (i, python))
    assert receive(sub, "channel.send(channel.receive() * 2)", u"ab") == u"abab"
    assert master.remote_status().numchannels < 5
`)
}

func TestReferenceRSync(t *testing.T) {
	t.Parallel()
	from, to := t.TempDir(), filepath.Join(t.TempDir(), "to")
	require.NoError(t, os.WriteFile(filepath.Join(from, "file"), []byte("content"), 0o600))
	drive(t, `
rsync = execnet.RSync(args[0], verbose=False)
rsync.add_target(master, args[1])
rsync.send()
`, from, to)
	content, err := os.ReadFile(filepath.Join(to, "file"))
	require.NoError(t, err)
	assert.Equal(t, "content", string(content))
}
