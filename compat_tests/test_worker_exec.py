"""How the Python worker executes the source that pip's execnet sends, on every CPython found."""
import os
import re

import pytest
from execnet import gateway_base

from conftest import WAIT, error
from pythonworker import GREEN_PYTHON, NEWEST, PYTHONS, label


def test_errors(worker):
    channel = worker.run("def f():\n    1/0\nchannel.send(1)\nf()\n")
    assert channel.receive(WAIT) == 1
    with pytest.raises(channel.RemoteError) as info:
        channel.receive(WAIT)
    lines = info.value.formatted.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert '  File "<remote exec>", line 2, in f' in lines
    assert "    1/0" in lines  # the source line, from linecache
    assert lines[-1].startswith("ZeroDivisionError: ")
    assert not [line for line in lines if "<string>" in line]

    for source, text in [
        ("1 +\n", r"(?s)^Traceback.*SyntaxError"),
        (u"raise ValueError(u'\\u20ac')", "ValueError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise KeyboardInterrupt", "^keyboard-interrupted$"),
        ("channel.send(object())", "DumpError"),
        ("channel.close()", "cannot explicitly close"),
    ]:
        assert re.search(text, error(worker.run(source))), source


# How an execution ends: in order, or with an error that holds the text. The driver has sent a
# channel, and has closed that one and said that nothing more comes on its own.
@pytest.mark.parametrize("source, text", [
    ("channel.receive()", None),
    ("def f(channel):\n    for _ in channel: pass\n    channel.receive()\nf(channel)", None),
    ("try:\n    channel.receive()\nexcept EOFError:\n    raise", None),
    ("try:\n    channel.receive()\nfinally:\n    x = 1", None),
    ("channel.makefile('r').read(1)", None),
    ("raise EOFError", "EOFError"),
    ("raise EOFError('mine')", "EOFError: mine"),
    ("try:\n    channel.receive()\nexcept EOFError:\n    raise EOFError('mine')", "EOFError: mine"),
    ("import os, pickle; pickle.load(open(os.devnull, 'rb'))", "EOFError(: Ran out of input)?"),
    ("(input if str is not bytes else raw_input)()", "EOFError(: EOF when reading a line)?"),
    ("c.receive()", "EOFError"),
    ("import pickle\nclass F:\n    def read(self, n): return channel.makefile('r').read(n).encode()\n"
     "    def readline(self): return b''\npickle.load(F())", "EOFError(: Ran out of input)?"),
    ("import sys; sys.exit(3)", "SystemExit: 3"),
    ("import sys; sys.exit('no disk')", "SystemExit: no disk"),
    ("import sys; sys.exit(0.0)", "SystemExit: 0.0"),
    ("import sys; sys.exit((0, 1))", r"SystemExit: \(0, 1\)"),
    ("class Odd(SystemExit):\n    code = property(lambda self: 1 / 0)\nraise Odd(0)", "Odd: 0"),
    ("class Odd(EOFError):\n    channelid = property(lambda self: 1 / 0)\nraise Odd", "Odd"),
])
def test_which_end_is_an_error(worker, source, text):
    channel = worker.run("c = channel.receive()\n" + source)
    other = worker.gw.newchannel()
    channel.send(other)
    other.close()
    channel.gateway._send(gateway_base.Message.CHANNEL_LAST_MESSAGE, channel.id)
    if text is None:
        channel.waitclose(WAIT)
    else:
        lines = error(channel).splitlines()
        assert lines[0] == "Traceback (most recent call last):"
        assert re.match("(__channelexec__.)?" + text + "$", lines[-1]), lines


@pytest.mark.cpython
@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_exits_that_are_errors_for_some_drivers(start, python):
    """Those of Python execnet expect an error of sys.exit(), as from its own worker."""
    for source, last in [("import sys; sys.exit()", "SystemExit"), ("import sys; sys.exit(0)", "SystemExit: 0"),
                         ("raise SystemExit(False)", "SystemExit: False")]:
        lines = error(start(python).run(source)).splitlines()
        assert lines[0] == "Traceback (most recent call last):" and lines[-1] == last
        start(python, setup={"errors": 1}).run(source).waitclose(WAIT)


def test_callbacks_that_exit(worker):
    """sys.exit() ends an execution, not a callback, and never the gateway."""
    for source, last in [("SystemExit", "SystemExit"), ("SystemExit(3)", "SystemExit: 3"), ("EOFError", "EOFError")]:
        channel = worker.run("""
            c = channel.gateway.newchannel()
            def call(item):
                raise %s
            c.setcallback(call)
            channel.send(c)
            channel.receive()
        """ % source)
        inner = channel.receive(WAIT)
        inner.send(1)
        assert error(inner).endswith("\n" + last + "\n")
        channel.send(None)
        channel.waitclose(WAIT)


def pure(channel, a, b=2):
    channel.send((a, b, __name__))
    raise RuntimeError("here")


def test_functions_keep_their_file_and_lines(worker):
    channel = worker.gw.remote_exec(pure, a=1)
    assert channel.receive(WAIT) == (1, 2, "__channelexec__")
    with pytest.raises(channel.RemoteError) as info:
        channel.receive(WAIT)
    assert os.path.basename(__file__) in info.value.formatted
    assert "line %d" % (pure.__code__.co_firstlineno + 2) in info.value.formatted
    assert 'raise RuntimeError("here")' in info.value.formatted


def test_coding_cookie(worker):
    channel = worker.run(u"# -*- coding: utf-8 -*-\nchannel.send(u'\u00e9')")
    assert channel.receive(WAIT) == u"\u00e9"


def test_gateway_api(worker):
    channel = worker.run("""
        gw = channel.gateway
        model = gw.execmodel
        event, lock, rlock = model.Event(), model.Lock(), model.RLock()
        got = []
        def later():
            with lock, rlock: got.append(model.get_ident())
            event.set()
        model.start(later)
        event.wait(5)
        model.sleep(0)
        gw._trace("x")
        import sys
        channel.send((gw.id, model.backend, repr(model), len(got),
                      channel in gw._channelfactory.channels(),
                      channel.id in gw._channelfactory._channels, gw._channelfactory.finished,
                      gw._strconfig, model.socket.__name__, model.subprocess.__name__,
                      model.queue.Queue.__name__, __name__, channel._executing,
                      sys.stdin.read()))
    """)
    assert channel.receive(WAIT) == (
        "gw0-worker", "thread", "<ExecModel 'thread'>", 1, True, True, False, (True, False),
        "socket", "subprocess", "Queue", "__channelexec__", True, "")


def test_the_main_thread_stays_the_main_thread(worker, settle):
    settle(worker.gw)
    main = worker.run("channel.send(1); channel.receive()")
    assert main.receive(WAIT) == 1
    other = worker.run("""
        import threading
        main = threading.main_thread() if hasattr(threading, "main_thread") else None
        channel.send((main is None or main is not threading.current_thread(),
                      main is None or main.is_alive(), threading.active_count() >= 1))
    """)
    assert other.receive(WAIT) == (True, True, True)
    other.waitclose(WAIT)
    main.send(None)
    settle(worker.gw)
    third = worker.run("""
        import threading
        same = not hasattr(threading, "main_thread") or (
            threading.main_thread() is threading.current_thread())
        channel.send((same, threading.current_thread().name))
    """)
    assert third.receive(WAIT) == (True, "MainThread")


def test_status(worker, settle):
    settle(worker.gw)
    channel = worker.run("channel.send(1); channel.receive()")
    channel.receive(WAIT)
    status = worker.gw.remote_status()
    assert (status.numexecuting, status.numchannels, status.execmodel) == (1, 1, "thread")
    channel.send(None)
    channel.waitclose(WAIT)


def test_nothing_printed_reaches_the_pipe(worker):
    channel = worker.run("""
        import os, sys, subprocess
        print("noise"); sys.stdout.write("noise\\n"); sys.stdout.flush()
        os.write(1, b"noise")
        subprocess.check_call([sys.executable, "-c", "print('noise'); import os; os.write(1, b'n')"])
        channel.send(sys.stdin.readline())
    """)
    assert channel.receive(WAIT) == ""
    channel.waitclose(WAIT)


def test_subprocesses_do_not_hold_the_pipe(worker):
    channel = worker.run("""
        import subprocess, sys
        code = ("import os\\n"
                "def ok(fd):\\n"
                "    try: os.fstat(fd)\\n"
                "    except OSError: return False\\n"
                "    return True\\n"
                "print([fd for fd in range(3, 50) if ok(fd)])")
        p = subprocess.Popen([sys.executable, "-c", code], stdout=-1, close_fds=False)
        channel.send(p.communicate()[0].decode())
    """)
    assert channel.receive(WAIT).strip() == "[]"


def test_main_thread_only(start):
    worker = start(NEWEST, execmodel="main_thread_only")
    first = worker.run("import threading; channel.send(threading.current_thread().name); channel.receive()")
    assert first.receive(WAIT) == "MainThread"
    second = worker.run("channel.send(1)")
    with pytest.raises(second.RemoteError, match="cause deadlock for main_thread_only"):
        second.receive(WAIT)
    first.send(None)
    first.waitclose(WAIT)
    for _ in range(20):
        third = worker.run("import threading; channel.send(threading.current_thread().name); 1/0")
        assert third.receive(WAIT) == "MainThread"
        with pytest.raises(third.RemoteError, match="ZeroDivisionError"):
            third.waitclose(WAIT)  # the next one waits until this one has ended, a second at most
    assert worker.stop() == 0


@pytest.mark.parametrize("execmodel", ["gevent", "eventlet"])
def test_green(start, execmodel):
    worker = start(GREEN_PYTHON, execmodel=execmodel)
    channels = [worker.run("""
        execmodel = channel.gateway.execmodel
        channel.send(execmodel.backend)
        execmodel.queue.Queue; execmodel.Lock(); execmodel.RLock(); execmodel.Event(); execmodel.get_ident()
        for item in iter(channel.receive, None): channel.send((item, len(item)))
    """) for _ in range(3)]
    for channel in channels:
        assert channel.receive(WAIT) == execmodel
    for channel in channels:
        for item in (b"x", "y" * 200000):
            channel.send(item)
            assert channel.receive(WAIT) == (item, len(item))
    assert worker.gw.remote_status().numexecuting == 3
    failing = worker.run("channel.receive(timeout=0.05)")
    assert "TimeoutError: no item after 0.05 seconds" in error(failing)
    for channel in channels:
        channel.send(None)
        channel.waitclose(WAIT)
    assert worker.stop() == 0


def test_an_execution_without_a_thread(start):
    worker = start(NEWEST)
    busy = worker.run("""
        import __main__
        def fail(*args):
            raise RuntimeError("can't start new thread")
        saved = __main__.start_thread
        __main__.start_thread = fail
        channel.send(1)
        channel.receive()
        __main__.start_thread = saved
        channel.send(2)
    """)
    assert busy.receive(WAIT) == 1
    for _ in range(3):
        assert "RuntimeError: can't start new thread" in error(worker.run("channel.send(3)"))
    assert worker.gw.remote_status().numexecuting == 1
    busy.send(None)
    assert busy.receive(WAIT) == 2
    busy.waitclose(WAIT)
    assert worker.run("channel.send(4)").receive(WAIT) == 4
    assert worker.stop() == 0


def test_names_are_those_of_execnet(worker, group):
    """What remote code sees of the types that it meets."""
    source = """
        gateway = channel.gateway
        made = [channel, gateway, channel.makefile("r"), channel.makefile("w"), gateway._channelfactory,
                channel.RemoteError("x"), channel.TimeoutError("x")]
        channel.send([(type(x).__module__, type(x).__name__) for x in made])
        texts = [repr(channel), repr(channel.makefile("w"))]
        channel.send([text.replace(str(channel.id), "ID") for text in texts] + [repr(gateway.execmodel), gateway.id])
    """
    ours, theirs = worker.run(source), group.makegateway("popen//id=gw0").remote_exec(source)
    for what in "types", "texts":
        assert ours.receive(WAIT) == theirs.receive(WAIT), what
