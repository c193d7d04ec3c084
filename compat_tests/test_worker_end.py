"""How the process of the Python worker ends, whatever the source that it executed has left behind."""
import os
import signal
import subprocess
import textwrap
import time

import pytest

from conftest import WAIT, gone
from pythonworker import GREEN_PYTHON, NEWEST, PYTHONS, Worker, label, source, version

TIMES = {"LEAVE = 18.0": "LEAVE = 2.0", "KILL = 19.0": "KILL = 4.0"}


def quick(execmodel="thread"):
    """The worker's source, with times for which a test can wait."""
    text = source("serve_popen('gw0-worker', %r)" % execmodel)
    for usual, short in TIMES.items():
        assert text.count(usual) == 1
        text = text.replace(usual, short)
    return text


PREAMBLE = """
import ctypes, os, signal, sys, time
sleep_with_the_GIL = getattr(ctypes, "PyDLL", ctypes.CDLL)(None).sleep  # PyPy has no PyDLL
"""

# Sources, and the status with which a worker ends that has executed them: 1 where one of its
# threads ends it, a signal where none can.
LEFT_BEHIND = {
    "a thread": ("""
        import threading
        threading.Thread(target=time.sleep, args=(1000,)).start()
        """, 1),
    "an atexit handler": ("import atexit; atexit.register(time.sleep, 1000)", 1),
    "an atexit handler with the GIL": ("import atexit; atexit.register(sleep_with_the_GIL, 1000)", -signal.SIGALRM),
    "a finalizer": ("""
        class Late(object):
            def __del__(self, sleep=time.sleep):
                sleep(1000)
        sys.late = Late()
        """, -signal.SIGALRM),
    "a callback": ("""
        channel.setcallback(lambda item: time.sleep(1000))
        channel.send('ready')
        time.sleep(1000)
        """, -signal.SIGKILL),
    "an endmarker": ("""
        kept = sys.kept = channel.gateway.newchannel()
        kept.setcallback(time.sleep, endmarker=1000)
        """, 1),
    "C code with the GIL": ("channel.send('ready'); sum(iter(int, 1))", -signal.SIGKILL),
    "a stopped process": ("channel.send('ready'); os.kill(os.getpid(), signal.SIGSTOP)", -signal.SIGKILL),
    "a greedy thread": ("""
        import threading
        channel.send('ready')
        threading.Thread(target=sleep_with_the_GIL, args=(1000,)).start()
        """, -signal.SIGKILL),
}


def status_of(name, python):
    """The status with which a worker of this interpreter ends. PyPy never keeps other threads from
    running for long, and calls no finalizers at its end.
    """
    if "pypy" in os.path.basename(python):
        if name == "a finalizer":
            return 0
        if name == "a greedy thread" or "the GIL" in name:
            return 1
    return LEFT_BEHIND[name][1]


def children(pid):
    """The processes whose parent is pid."""
    rows = subprocess.check_output(["ps", "-A", "-o", "pid=,ppid="]).decode().splitlines()
    return [int(row.split()[0]) for row in rows if int(row.split()[1]) == pid]


def execute(worker, text):
    """Has the worker execute text, and returns when that is over or has sent "ready"."""
    channel = worker.run(PREAMBLE + textwrap.dedent(text) + "\nchannel.send('ready')")
    assert channel.receive(WAIT) == "ready"
    if "lambda item" in text:
        channel.send(0)
    return channel


@pytest.mark.parametrize("end", ["terminated", "end of file"])
@pytest.mark.parametrize("python,execmodel", [(python, "thread") for python in PYTHONS] + [
    (NEWEST, "main_thread_only"), (GREEN_PYTHON, "gevent"), (GREEN_PYTHON, "eventlet")])
def test_it_ends_whatever_is_left_behind(start, python, execmodel, end):
    workers, channels = {}, []
    for name, (text, _) in LEFT_BEHIND.items():
        workers[name] = start(python, text=quick(execmodel), stderr=subprocess.DEVNULL)
        channels.append(execute(workers[name], text))
    watchdogs = {name: children(worker.popen.pid) for name, worker in workers.items()}
    assert [len(found) for found in watchdogs.values()] == [1] * len(workers)
    for worker in workers.values():
        if end == "terminated":
            worker.gw.exit()
        else:  # as when the driver is killed
            worker.popen.stdin.close()
    began = time.time()
    statuses = {name: worker.popen.wait(WAIT) for name, worker in workers.items()}
    assert time.time() - began < 10
    assert statuses == {name: status_of(name, python) for name in LEFT_BEHIND}
    gone(*sum(watchdogs.values(), []))


@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_an_orderly_end_is_not_cut_short(start, tmp_path, python):
    worker = start(python)
    execute(worker, """
        import atexit, threading
        def write(text):
            with open(%r, "a") as f:
                f.write(text)
        def work():
            time.sleep(0.2)
            write("thread, ")
        threading.Thread(target=work).start()
        atexit.register(write, "atexit")
        """ % str(tmp_path / "written"))
    watchdog, = children(worker.popen.pid)
    assert worker.stop() == 0
    assert (tmp_path / "written").read_text() == "thread, atexit"
    with pytest.raises(ProcessLookupError):
        os.kill(watchdog, 0)  # not even a zombie


@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_it_ends_when_remote_code_has_closed_its_descriptors(start, python):
    worker = start(python, stderr=subprocess.DEVNULL)
    worker.run("import os; os.closerange(3, 256)")
    began = time.time()
    worker.popen.wait(WAIT)
    assert time.time() - began < 10, "it ends by itself, not because its time is over"


def test_the_watchdog_leaves_with_the_worker(start):
    worker = start(NEWEST)
    execute(worker, "")
    watchdog, = children(worker.popen.pid)
    until = time.time() + WAIT
    while os.getsid(watchdog) != watchdog:
        assert time.time() < until, "Ctrl-C does not reach it"
        time.sleep(0.01)
    worker.popen.kill()
    gone(watchdog)
    worker.gw.join(WAIT)
    assert not worker.gw.hasreceiver(), "it does not hold the pipe open"


def test_the_watchdog_lets_a_busy_worker_live(start):
    worker = start(NEWEST, text=quick())
    channel = worker.run("""
        import time
        began = time.time()
        while time.time() - began < 4:
            sum(range(10000000))
        channel.send("done")
    """)
    assert channel.receive(WAIT) == "done"
    assert worker.stop() == 0


def test_what_remote_code_sees_of_the_watchdog(start):
    """It waits for its own children; and it may wait for a watchdog that somebody has killed."""
    worker = start(NEWEST)
    channel = worker.run("""
        import os
        for status in 3, 4:
            pid = os.fork()
            if pid == 0:
                os._exit(status)
            channel.send(os.wait() == (pid, status << 8))
    """)
    assert channel.receive(WAIT) and channel.receive(WAIT)
    watchdog, = children(worker.popen.pid)
    os.kill(watchdog, signal.SIGKILL)
    channel = worker.run("import os; channel.send(os.wait()[0])")
    assert channel.receive(WAIT) == watchdog
    assert worker.stop() == 0


@pytest.mark.parametrize("python", [p for p in PYTHONS if version(p) < [3, 0]][:1] or [NEWEST], ids=label)
def test_a_thread_that_sees_the_interpreter_end(python, start):
    """Python 2 clears the names of modules while threads run. What fails then is not printed."""
    worker = start(python, stderr=subprocess.PIPE)
    channel = worker.run("""
        import sys, time
        class Late(object):
            def __del__(self, sleep=time.sleep):
                sleep(0.5)
        def work():
            channel.send("works")
            while True:
                time.sleep(0.001)
        channel.gateway.execmodel.start(work)
        sys.late = Late()
        channel.receive()
    """)
    assert channel.receive(WAIT) == "works"
    channel.send(None)
    channel.waitclose(WAIT)
    assert worker.stop() == 0
    assert worker.popen.stderr.read() == b""
