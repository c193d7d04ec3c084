"""Calls of Go functions from a CPython that are interrupted, and what ends with what: contexts,
processes, drivers.
"""
import os
import time

import execnet
import pytest

from conftest import WAIT, gone
from cpythonworker import fresh, gw, run, spec
from pythonworker import NEWEST, PYTHONS, label, version

NAMES = iter(range(10 ** 9))


def ended(gateway, name, seconds=WAIT):
    return run(gateway, "import gofuncs; channel.send(gofuncs.ended(%r, %r))" % (name, float(seconds)))


def test_a_context_ends_when_the_execution_ends(gw):
    name = "execution%d" % next(NAMES)
    channel = gw.remote_exec("""
        import gofuncs, threading
        def call():
            try:
                gofuncs.begin(channel, %r)
            except BaseException as e:
                print(type(e))
        threading.Thread(target=call).start()
        channel.receive()
    """ % name)
    assert channel.receive(WAIT) == 1
    assert not ended(gw, name, 0.05)
    channel.send(None)
    channel.waitclose(WAIT)
    assert ended(gw, name)


def test_the_driver_closing_the_channel_ends_no_context(gw):
    """execnet closes a channel that the driver drops, and the program runs on."""
    name = "dropped%d" % next(NAMES)
    channel = gw.remote_exec("""
        import gofuncs, threading
        def call():
            try:
                gofuncs.begin(channel, %r)
            except BaseException as e:
                print(type(e))
        thread = threading.Thread(target=call)
        thread.start()
        inner = channel.receive()
        inner.receive()
    """ % name)
    inner = gw.newchannel()
    channel.send(inner)
    assert channel.receive(WAIT) == 1
    channel.close()
    assert not ended(gw, name, 0.2)
    inner.send(None)
    assert ended(gw, name), "the execution has ended"


@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_an_interrupted_call(fresh, python):
    name = "interrupted%d" % next(NAMES)
    channel = fresh(python).remote_exec("""
        import gofuncs, os, signal, threading, time
        def interrupt():
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=interrupt).start()
        try:
            gofuncs.begin(channel, %r)
        except KeyboardInterrupt:
            channel.send("interrupted")
        channel.send([gofuncs.count(u"a b"), gofuncs.ended(%r, 10.0), gofuncs.count(u"a")])
    """ % (name, name))
    assert channel.receive(WAIT) == 1
    assert channel.receive(WAIT) == "interrupted"
    assert channel.receive(WAIT) == [2, True, 1]


MANY_INTERRUPTS = """
        import gofuncs, os, signal, sys, threading, time
        pause = 0.003 if sys.version_info >= (3, 10) else 0.2
        begin, wrong, seen, calls, done = time.time(), [], [], [0], []
        def until(holds):
            while not holds():
                time.sleep(0.001)
        def interrupt():
            while time.time() < begin + 3:
                time.sleep(pause)
                # Whoever has left the calls, for the last interrupt, has nothing to catch the next one with.
                begun = calls[0]
                until(lambda: calls[0] > begun)
                before, sent = len(seen), calls[0]
                os.kill(os.getpid(), signal.SIGINT)
                # One that comes in a destructor is not seen: Python prints it, and goes on.
                until(lambda: len(seen) > before or calls[0] > sent + 50)
            done.append(1)
        def others():
            n = 0
            while time.time() < begin + 3:
                n += 1
                if gofuncs.echo(n) != n:
                    wrong.append(n)
            done.append(1)
        def call():
            n = 0
            while len(done) < 3:
                n += 1
                big = u"x" * (n % 7 * 20000)
                if gofuncs.echo((n, big)) != (n, big):
                    wrong.append(n)
                calls[0] += 1
        for f in others, others, interrupt:
            threading.Thread(target=f).start()
        while len(done) < 3:
            try:
                while len(done) < 3:
                    try:
                        call()
                    except KeyboardInterrupt:
                        seen.append(1)
            except KeyboardInterrupt:
                seen.append(1)
        if len(seen) < 10:
            wrong.append("hardly anything has happened")
        channel.send((wrong, gofuncs.count(u"a b")))
"""


@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_many_interrupts(fresh, python):
    """Whatever a call does when an interrupt comes, those that follow get their own answers.

    Before 3.10 an interrupt can come between any two steps, also within a finally clause that would
    unlock a lock. Then calls hang, and one more gateway has to show that this is rare.
    """
    try:
        got = run(fresh(python), MANY_INTERRUPTS)
    except execnet.TimeoutError:
        if version(python) >= [3, 10]:
            raise
        got = run(fresh(python), MANY_INTERRUPTS)
    assert got == ([], 2)


@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_a_signal_handler_that_calls(fresh, python):
    assert run(fresh(python), """
        import gofuncs, signal, time
        got = []
        def handler(*args):
            try:
                got.append(gofuncs.count(u"a b"))
            except RuntimeError as e:
                got.append(2 if "before Python 3.11 a signal handler" in str(e) else e)
            signal.setitimer(signal.ITIMER_REAL, 0.001)
        before = signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        end, n, wrong = time.time() + 1, 0, []
        while time.time() < end:
            n += 1
            if gofuncs.echo(n) != n:
                wrong.append(n)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        channel.send((wrong, set(got) == set([2]), n > 10))
    """) == ([], True, True)


def test_the_death_of_the_python_ends_contexts(fresh):
    gateway = fresh()
    name = "death"
    channel = gateway.remote_exec("import gofuncs, os; channel.send(os.getpid()); gofuncs.begin(channel, %r)" % name)
    pid = channel.receive(WAIT)
    assert channel.receive(WAIT) == 1
    os.kill(pid, 9)
    with pytest.raises(Exception):
        channel.waitclose(WAIT)
    assert ended(gateway, name), "another Python is started, and asks the same Go program"


def test_the_end_of_the_go_process_ends_calls(fresh):
    gateway = fresh()
    channel = gateway.remote_exec("""
        import gofuncs, os
        channel.send((os.getpid(), gofuncs.pid()))
        try:
            gofuncs.sleep(1000.0)
        except IOError as e:
            os.write(2, ("told: %s\\n" % e).encode())
            os._exit(0)
    """)
    pid, go = channel.receive(WAIT)
    os.kill(go, 9)
    gone(pid, go)


def test_the_end_of_the_driver_ends_everything(pyworker):
    group = execnet.Group()
    gateway = group.makegateway(spec(pyworker, NEWEST))
    channel = gateway.remote_exec("import gofuncs, os; channel.send((os.getpid(), gofuncs.pid())); gofuncs.wait()")
    pids = channel.receive(WAIT)
    begin = time.time()
    group.terminate(timeout=WAIT)
    gone(*pids)
    assert time.time() - begin < 15
