"""Processes that source forks in the Python worker, on every CPython found."""
import os
import subprocess
import time

import pytest

from conftest import WAIT, error, gone
from pythonworker import GREEN_PYTHON, PYTHONS, label

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(params=PYTHONS, ids=label)
def python(request):
    return request.param


@pytest.mark.parametrize("fork", ["os.fork()", "os.forkpty()[0]", "pty.fork()[0]"])
@pytest.mark.parametrize("where", ["main thread", "other thread"])
def test_a_child_that_comes_to_the_end_of_the_source(python, start, fork, where):
    """It cannot use the channels, and ends. The parent's channel goes on."""
    worker = start(python)
    if where == "other thread":
        busy = worker.run("channel.send(1); channel.receive()")
        assert busy.receive(WAIT) == 1
    channel = worker.run("""
        import os, pty, sys
        new = channel.gateway.newchannel()
        pid = %s
        if pid == 0:
            for use in (lambda: channel.send(1), lambda: channel.send(["child"]),
                        lambda: channel.send(b"x" * 100000), channel.receive,
                        lambda: channel.receive(1), channel.waitclose, new.close,
                        lambda: new.setcallback(len), channel.reconfigure,
                        channel.gateway.newchannel):
                try:
                    use()
                except EnvironmentError:
                    if "forked child" not in str(sys.exc_info()[1]): os._exit(8)
                else:
                    os._exit(9)
        else:
            channel.send(os.waitpid(pid, 0)[1])
            for item in channel: channel.send(item)
    """ % fork)
    assert channel.receive(WAIT) == 0
    for item in (1, "x" * 100000):
        channel.send(item)
        assert channel.receive(WAIT) == item
    channel.close()
    assert worker.run("channel.send(4)").receive(WAIT) == 4
    if where == "other thread":
        busy.send(None)
        busy.waitclose(WAIT)
    assert worker.stop() == 0


@pytest.mark.parametrize("ends, code, said", [
    ("sys.exit()", 0, ""), ("sys.exit(7)", 7, ""), ("sys.exit('words')", 1, "words"),
    ("1/0", 1, "ZeroDivisionError"), ("channel.send(1)", 1, "OSError: a forked child cannot use"),
    ("raise KeyboardInterrupt", 1, "KeyboardInterrupt"), ("raise EOFError", 1, "EOFError"),
    ("pass", 0, ""),
])
def test_how_a_child_ends(python, start, tmp_path, ends, code, said):
    worker = start(python, stderr=subprocess.PIPE)
    channel = worker.run("""
        import os, sys
        sys.stdout = open(channel.receive(), "w")
        pid = os.fork()
        if pid == 0:
            sys.stdout.write("flushed")
            %s
        else:
            _, status = os.waitpid(pid, 0)
            written = open(sys.stdout.name).read()
            sys.stdout = sys.__stdout__
            channel.send((os.WIFEXITED(status), os.WEXITSTATUS(status), written))
    """ % ends)
    channel.send(str(tmp_path / "stdout"))
    assert channel.receive(WAIT) == (True, code, "flushed")
    channel.waitclose(WAIT)
    assert worker.stop() == 0
    written = worker.popen.stderr.read().decode()
    assert said in written and bool(said) == bool(written)


def test_a_child_of_a_thread_of_the_source(python, start):
    """It ends with its thread, as threads do that are not the worker's."""
    worker = start(python)
    channel = worker.run("""
        import os, threading
        def work():
            pid = os.fork()
            if pid:
                channel.send(pid)
                channel.send(os.waitpid(pid, 0)[1])
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        channel.send("parent")
    """)
    pid = channel.receive(WAIT)
    assert [channel.receive(WAIT), channel.receive(WAIT)] == [0, "parent"]
    channel.waitclose(WAIT)
    gone(pid)
    assert worker.stop() == 0


def test_a_child_of_a_callback(python, start):
    worker = start(python)
    channel = worker.run("""
        import os
        def fork(item):
            pid = os.fork()
            if pid: channel.send(os.waitpid(pid, 0)[1])
        other = channel.gateway.newchannel()
        other.setcallback(fork, endmarker=None)
        channel.send(other)
        channel.receive()
    """)
    other = channel.receive(WAIT)
    other.send(1)
    assert channel.receive(WAIT) == 0
    other.close()
    assert channel.receive(WAIT) == 0
    channel.send(None)
    channel.waitclose(WAIT)
    assert worker.stop() == 0


def test_a_daemon_outlives_the_worker(python, start, tmp_path):
    """A double fork: the daemon goes on, and holds nothing of the gateway open."""
    worker = start(python)
    channel = worker.run("""
        import os, time
        folder = channel.receive()
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
            channel.send("started")
        else:
            os.setsid()
            if not os.fork():
                os.rename(folder + "/a", folder + "/b")
                while not os.path.exists(folder + "/end"): time.sleep(0.02)
                with open(folder + "/c", "w") as f: f.write(str(os.getpid()))
                os.rename(folder + "/c", folder + "/d")
    """)
    (tmp_path / "a").write_text("")
    channel.send(str(tmp_path))
    assert channel.receive(WAIT) == "started"
    channel.waitclose(WAIT)
    assert worker.stop() == 0
    assert not (tmp_path / "d").exists()
    (tmp_path / "end").write_text("")
    end = time.time() + WAIT
    while not (tmp_path / "d").exists():
        assert time.time() < end
        time.sleep(0.02)
    gone(int((tmp_path / "d").read_text()))


def test_what_forks_for_itself_goes_on_working(python, start):
    worker = start(python)
    channel = worker.run("""
        import multiprocessing, os, subprocess, sys
        def work(n):
            channel_number.value = n
            sys.exit(n)
        channel_number = multiprocessing.Value("i", 0)
        context = multiprocessing.get_context("fork") if hasattr(multiprocessing, "get_context") else multiprocessing
        p = context.Process(target=work, args=(5,))
        p.start(); p.join()
        channel.send((p.exitcode, channel_number.value))
        pool = context.Pool(2)
        channel.send(pool.map(abs, [-1, -2, -3]))
        pool.close(); pool.join()
        channel.send(subprocess.check_output([sys.executable, "-c", "print(6)"]).decode().strip())
        channel.send(subprocess.call([sys.executable, "-c", ""], preexec_fn=os.setsid))
        channel.send(os.system("exit 3") >> 8)
        channel.send(os.popen("echo 7").read().strip())
    """)
    assert [channel.receive(WAIT) for _ in range(6)] == [(5, 5), [1, 2, 3], "6", 0, 3, "7"]
    channel.waitclose(WAIT)
    assert worker.stop() == 0


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_what_multiprocessing_spawns(python, start, method):
    worker = start(python)
    if worker.run("import sys; channel.send(sys.version_info[0])").receive(WAIT) == 2:
        return  # Python 2 only forks
    channel = worker.run("""
        import multiprocessing
        context = multiprocessing.get_context(%r)
        with context.Pool(2) as pool:
            channel.send(pool.map(abs, [-1, -2, -3]))
        def mine(n): return n
        p = context.Process(target=mine, args=(1,))
        p.start()
    """ % method)
    assert channel.receive(WAIT) == [1, 2, 3]
    assert "pickle" in error(channel).lower()
    assert worker.stop() == 0


@pytest.mark.parametrize("execmodel", ["gevent", "eventlet"])
def test_greenlets(start, execmodel):
    worker = start(GREEN_PYTHON, execmodel=execmodel)
    channel = worker.run("""
        import os
        pid = os.fork()
        if pid == 0:
            try: channel.send("child")
            except OSError: pass
        else:
            channel.send(os.waitpid(pid, 0)[1])
            channel.send(channel.receive())
    """)
    assert channel.receive(WAIT) == 0
    channel.send(2)
    assert channel.receive(WAIT) == 2
    assert worker.stop() == 0
