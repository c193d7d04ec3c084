//go:build unix

package testrun_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

// counted says how often it was collected, and has everything that workers must not share.
const counted = `
import os, pytest, random, sys, time
open(os.path.join(os.path.dirname(__file__), "collected"), "a").write("x")

@pytest.fixture(scope="session")
def session(worker_id):
    os.write(2, ("session of %s\n" % worker_id).encode())

@pytest.mark.parametrize("i", range(60))
def test_it(i, session, worker_id, testrun_uid, request, tmp_path, capfd):
    assert os.environ["PYTEST_XDIST_WORKER"] == worker_id == request.config.workerinput["workerid"]
    assert os.environ.get("PYTHONPATH") == "/some/where"
    assert not [p for p in sys.path if "execnet-testrun" in p]
    assert tmp_path.parent.name == "popen-" + worker_id
    print("out of", worker_id)
    assert capfd.readouterr().out == "out of %s\n" % worker_id
    print("second of", worker_id, i)
    time.sleep(0.005)

def test_random():
    time.sleep(0.2)
    print(random.random())

def test_random2():
    time.sleep(0.2)
    print(random.random())
`

func TestCollectOnce(t *testing.T) {
	t.Setenv("PYTHONPATH", "/some/where")
	for name, noFork := range map[string]bool{"forked": false, "not forked": true} {
		t.Run(name, func(t *testing.T) {
			dir := files{"test_it.py": counted}.Write(t)
			r := runIn(t, enough(t), dir, 3, testrun.Config{NoFork: noFork, Args: []string{"--basetemp", dir + "/temp"}}, nil)
			require.NoError(t, r.err)
			assert.Equal(t, testrun.OK, r.code, "%+v", of[*testrun.TestDone](r)[0])
			assert.Len(t, r.outcomes(t), 62)
			assert.Empty(t, of[*testrun.Notice](r))
			for _, up := range of[*testrun.WorkerUp](r) {
				assert.Equal(t, !noFork, up.Forked)
			}
			if !noFork {
				assert.Equal(t, "x", readFile(t, dir+"/collected"))
			}
			for _, d := range of[*testrun.TestDone](r) {
				for _, p := range d.Phases {
					for _, s := range p.Sections {
						if strings.HasPrefix(s.Text, "second") {
							assert.True(t, strings.HasPrefix(s.Text, "second of "+d.Worker+" "), s.Text)
							assert.NotContains(t, s.Text, "\n")
						}
					}
				}
			}
			a, b := r.test(t, "test_it.py::test_random").Phases[1].Sections, r.test(t, "test_it.py::test_random2").Phases[1].Sections
			assert.NotEqual(t, a[0].Text, b[0].Text)
		})
	}
}

// What would not survive a fork keeps workers from being forked. That is told once, and found out
// before the suite is collected where that can be.
func TestNotForked(t *testing.T) {
	for name, c := range map[string]struct {
		conftest, reason string
		late             bool
	}{
		"thread":     {"import threading, time\nthreading.Thread(target=time.sleep, args=(1000,), name='busy', daemon=True).start()\n", "a thread runs that workers would not have: busy", false},
		"socket":     {"import socket\ns = socket.socket()\n", "a socket is open", true},
		"file":       {"import os\nf = open(os.path.abspath(__file__))\n", "a file is open that workers would share", true},
		"database":   {"import os, sqlite3\ndb = sqlite3.connect(os.path.join(os.path.dirname(__file__), 'db'))\ndb.execute('create table if not exists t (x)')\n", "a file is open that workers would share", true},
		"filelock":   {"import sys, types\nclass BaseFileLock: pass\nfilelock = types.ModuleType('filelock')\nfilelock.BaseFileLock = BaseFileLock\nsys.modules['filelock'] = filelock\nclass FileLock(BaseFileLock): pass\nlock = FileLock()\n", "a filelock is there", true},
		"id":         {"def pytest_configure(config): config.workerinput['workerid']\n", "conftest.py asks for the worker's id", false},
		"uid and id": {"import os\nuid, name = os.environ['PYTEST_XDIST_TESTRUNUID'], os.environ['PYTEST_XDIST_WORKER']\n", "conftest.py asks for the worker's id", false},
		"environ":    {"import os\nname = os.environ.get('PYTEST_XDIST_WORKER')\n", "conftest.py asks for the worker's id", false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := files{"conftest.py": c.conftest, "test_it.py": "import os, pytest, sys\nopen(os.path.join(os.path.dirname(__file__), 'collected'), 'a').write('to be forked' if '_execnet_testrun' in sys.modules else 'worker')\n@pytest.mark.parametrize('i', range(10))\ndef test_a(i): pass\n"}.Write(t)
			r := runIn(t, enough(t), dir, 2, testrun.Config{}, nil)
			require.NoError(t, r.err)
			assert.Equal(t, testrun.OK, r.code)
			assert.Len(t, r.outcomes(t), 10)
			notices := of[*testrun.Notice](r)
			require.Len(t, notices, 1)
			assert.Contains(t, notices[0].Text, "each worker collects the suite for itself: ")
			assert.Contains(t, notices[0].Text, c.reason)
			assert.Empty(t, of[*testrun.WorkerDown](r))
			assert.Equal(t, c.late, strings.Contains(readFile(t, dir+"/collected"), "to be forked"))
		})
	}
}

// TestSignalHandlers has a suite choose what signals do, which forked workers keep.
func TestSignalHandlers(t *testing.T) {
	for _, noFork := range []bool{false, true} {
		r := runFiles(t, 2, files{"conftest.py": `
import signal
before = signal.getsignal(signal.SIGINT)

def handler(number, frame): pass
for number in signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1:
    signal.signal(number, handler)
`, "test_it.py": `
import pytest, signal

@pytest.mark.parametrize("i", range(10))
def test_it(i, request):
    conftest = request.config.pluginmanager.getplugin(str(request.config.rootpath / "conftest.py"))
    assert conftest.before is signal.default_int_handler
    for number in signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1:
        assert signal.getsignal(number) is conftest.handler
    if hasattr(signal, "pthread_sigmask"):
        assert not signal.pthread_sigmask(signal.SIG_BLOCK, [])
`}, testrun.Config{NoFork: noFork})
		require.NoError(t, r.err)
		assert.Equal(t, testrun.OK, r.code, "%+v", of[*testrun.TestDone](r)[0])
		assert.Len(t, r.outcomes(t), 10)
	}
}

// What plugins do for the header happens in no process that runs tests, and not at all if nobody
// sees it.
func TestHeader(t *testing.T) {
	for _, c := range []struct{ args, want []string }{{nil, []string{"one", "two"}}, {[]string{"-q"}, nil}} {
		r := runFiles(t, 2, files{
			"conftest.py": "import sys\n\ndef pytest_report_header():\n    sys.modules['for_header'] = sys\n    return ['one', 'two']\n",
			"test_it.py":  "import pytest, sys\n\n@pytest.mark.parametrize('i', range(4))\ndef test_it(i):\n    assert 'for_header' not in sys.modules\n",
		}, testrun.Config{Args: c.args})
		require.NoError(t, r.err)
		assert.Equal(t, testrun.OK, r.code)
		assert.Len(t, r.outcomes(t), 4)
		up := of[*testrun.WorkerUp](r)[0]
		assert.True(t, up.Forked)
		if c.want == nil {
			assert.Empty(t, up.Header)
		} else {
			assert.Subset(t, up.Header, c.want)
		}
	}
}

// TestForkedAllTheSame has a suite do before the fork what does no harm.
func TestForkedAllTheSame(t *testing.T) {
	r := runFiles(t, 2, files{"conftest.py": "import os, subprocess\nos.environ.copy()\ndict(os.environ)\nlist(os.environ.items())\n[os.environ[name] for name in os.environ]\nos.environ.get('HOME')\nsubprocess.call(['true'])\n" +
		"import logging\nlogging.getLogger().addHandler(logging.FileHandler(os.path.join(os.path.dirname(__file__), 'log')))\n" +
		"class Garbage: pass\ng = Garbage()\ng.itself, g.file = g, open(os.path.abspath(__file__))\ndel g\n", "test_it.py": "def test_a(): pass\n"}, testrun.Config{})
	require.NoError(t, r.err)
	assert.Empty(t, of[*testrun.Notice](r))
	assert.Equal(t, testrun.OK, r.code)
}
