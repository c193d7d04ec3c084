"""Calls of Go functions from the threads, greenlets and child processes of a CPython."""
import os
import time

import pytest

from conftest import WAIT
from cpythonworker import fresh, gw, popen_gw, run
from pythonworker import GREEN_PYTHON


def test_forked_children_cannot_call(gw):
    assert "a forked child cannot call the Go functions of its parent" in run(gw, """
        import gofuncs, os
        r, w = os.pipe()
        if os.fork() == 0:
            try:
                gofuncs.count(u"a")
                said = "nothing"
            except RuntimeError as e:
                said = str(e)
            os.write(w, said.encode("ascii"))
            os._exit(0)
        os.close(w)
        os.wait()
        said = os.read(r, 1000).decode("ascii")
        gofuncs.count(u"a")
        channel.send(said)
    """)


def test_subprocesses_do_not_inherit_the_pipes(gw):
    assert run(gw, """
        import os, subprocess, sys, gofuncs
        r, w = gofuncs.__loader__.finder.pipes
        code = "import os, sys\\nfor fd in %d, %d:\\n    try:\\n        print(os.fstat(fd).st_ino)\\n    except OSError:\\n        print(0)" % (r, w)
        pipes = [os.fstat(fd).st_ino for fd in (r, w)]
        out = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, close_fds=False).communicate()[0]
        channel.send([ino in pipes for ino in map(int, out.split())])
    """) == [False, False]


def test_threads_call_side_by_side(gw):
    begin = time.time()
    assert run(gw, """
        import gofuncs, threading
        threads = [threading.Thread(target=gofuncs.sleep, args=(0.5,)) for _ in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        channel.send("done")
    """) == "done"
    assert time.time() - begin < 20, "one after the other they take 25 seconds"


def test_many_threads_get_their_own_answers(gw):
    assert run(gw, """
        import gofuncs, threading
        wrong = []
        def work(k):
            try:
                for i in range(150):
                    big = u"x" * (i % 5 * 30000)
                    if gofuncs.echo((k, i, big)) != (k, i, big):
                        wrong.append((k, i))
            except Exception as e:
                wrong.append(repr(e))
        threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        channel.send(wrong)
    """) == []


def test_a_thread_that_is_ended_during_a_call(popen_gw):
    assert run(popen_gw, """
        import ctypes, gofuncs, threading, time
        ended = []
        def work():
            try:
                gofuncs.sleep(0.5)
                gofuncs.sleep(60.0)
            except SystemExit:
                ended.append(1)
        thread = threading.Thread(target=work)
        thread.start()
        time.sleep(0.1)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(SystemExit))
        thread.join()
        channel.send((ended, gofuncs.count(u"a b")))
    """) == ([1], 2)


def test_a_thread_that_begins_with_a_go_function(gw):
    assert run(gw, """
        import gofuncs, time
        try:
            from _thread import start_new_thread
        except ImportError:
            from thread import start_new_thread
        start_new_thread(gofuncs.sleep, (0.0,))
        time.sleep(0.1)
        channel.send(1)
    """) == 1


def test_calls_at_exit(fresh, tmp_path):
    gateway = fresh()
    path = str(tmp_path / "said")
    run(gateway, """
        import atexit, gofuncs
        def last():
            with open(%r, "w") as f:
                f.write(str(gofuncs.count(u"a b c")))
        atexit.register(last)
        channel.send(1)
    """ % path)
    gateway.exit()
    end = time.time() + WAIT
    while not os.path.exists(path) or not open(path).read():
        assert time.time() < end
        time.sleep(0.02)
    assert open(path).read() == "3"


def test_a_function_without_its_channel(gw):
    channel = gw.remote_exec("""
        import gofuncs, threading
        names = {}
        exec("import gofuncs, threading\\nsaid = []\\ndef call():\\n try:\\n  gofuncs.serve()\\n except TypeError as e:\\n  said.append(str(e))", names)
        thread = threading.Thread(target=names["call"])
        thread.start()
        thread.join()
        channel.send(names["said"])
    """)
    assert channel.receive(WAIT) == ["gofuncs.serve() needs a channel as its first argument: no execution calls it"]


@pytest.mark.parametrize("model", ["main_thread_only", "gevent", "eventlet"])
def test_execmodels(fresh, model):
    gateway = fresh(GREEN_PYTHON, "//execmodel=" + model)
    channel = gateway.remote_exec("""
        import gofuncs
        for item in channel:
            channel.send((gofuncs.count(item), gofuncs.size(b"x" * 3000000), len(gofuncs.zeros(3000000))))
    """)
    for text in "a", "a b":
        channel.send(text)
        assert channel.receive(WAIT) == (len(text.split()), 3000000, 3000000)
    channel.close()


@pytest.mark.parametrize("model", ["gevent", "eventlet"])
def test_greenlets_run_while_a_function_does(fresh, model):
    gateway = fresh(GREEN_PYTHON, "//execmodel=" + model)
    gateway.remote_exec("import gofuncs").waitclose(WAIT)
    waiting = gateway.remote_exec("import gofuncs; channel.send(gofuncs.listen(channel.receive()))")
    inner = gateway.newchannel()
    waiting.send(inner)
    sleeping = gateway.remote_exec("import gofuncs; gofuncs.sleep(8.0); channel.send(1)")
    begin = time.time()
    echo = gateway.remote_exec("import gofuncs\nfor item in channel: channel.send(gofuncs.echo(item))")
    for i in range(20):
        echo.send(i)
        assert echo.receive(WAIT) == i
    assert time.time() - begin < 8
    inner.send(3)
    inner.close()
    assert waiting.receive(WAIT) == 3
    assert sleeping.receive(WAIT) == 1
    echo.close()
