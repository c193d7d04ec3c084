"""Channels between pip's execnet and the Python worker, and which waiting thread reads."""
import glob
import os
import random
import signal
import struct
import subprocess
import struct
import threading
import time

import pytest
from execnet import gateway_base

from conftest import WAIT, error
from pythonworker import NEWEST, PYTHONS, label, version


def test_callbacks_and_endmarkers(worker):
    channel = worker.run("""
        channel.send(channel.receive())  # this thread reads first
        q = channel.gateway.execmodel.queue.Queue()
        channel.setcallback(q.put, endmarker=999)
        try: channel.receive()
        except IOError: channel.send("refused")
        while 1:
            x = q.get()
            channel.send(x)
            if x == 0: break
        inner = channel.gateway.newchannel()
        inner.setcallback(q.put, endmarker="end")
        channel.send(inner)
        while 1:
            x = q.get()
            channel.send(x)
            if x == "end": break
    """)
    channel.send("first")
    assert channel.receive(WAIT) == "first"
    assert channel.receive(WAIT) == "refused"
    for i in (3, 2, 1, 0):
        channel.send(i)
        assert channel.receive(WAIT) == i
    inner = channel.receive(WAIT)
    inner.send("x")
    inner.close()
    assert [channel.receive(WAIT), channel.receive(WAIT)] == ["x", "end"]
    channel.waitclose(WAIT)


def test_receiving_in_a_callback(worker):
    channel = worker.run("""
        a, b = channel.gateway.newchannel(), channel.gateway.newchannel()
        q = channel.gateway.execmodel.queue.Queue()
        a.setcallback(lambda x: q.put((x, b.receive(), b.receive(timeout=10))))
        channel.send((a, b))
        channel.send([q.get(), channel.receive()])
    """)
    a, b = channel.receive(WAIT)
    a.send(1)
    for item in (2, 3):
        time.sleep(0.01)
        b.send(item)
    channel.send(4)
    assert channel.receive(WAIT) == [(1, 2, 3), 4]


def test_a_forked_child_closes_no_channel(worker):
    channel = worker.run("""
        import os, sys, gc
        c = channel.gateway.newchannel()
        channel.send(c)
        pid = os.fork()
        if pid == 0:
            del c; gc.collect()
            os._exit(0)
        os.waitpid(pid, 0)
        channel.send(c.receive())
    """)
    inner = channel.receive(WAIT)
    time.sleep(0.05)
    inner.send(1)
    assert channel.receive(WAIT) == 1


def test_failing_callback_closes_with_its_error(worker):
    channel = worker.run("""
        c = channel.receive()
        c.setcallback(lambda x: 1/x)
        channel.send(1)
        channel.receive()
    """)
    inner = worker.gw.newchannel()
    channel.send(inner)
    channel.receive(WAIT)
    inner.send(0)
    assert "ZeroDivisionError" in error(inner)
    channel.send(None)
    channel.waitclose(WAIT)


def test_dropped_channels_tell_the_other_side(worker):
    channel = worker.run("""
        a, b = channel.gateway.newchannel(), channel.gateway.newchannel()
        b.setcallback(channel.send)
        channel.send((a, b))
        del a, b
        import gc; gc.collect()
        channel.receive()
    """)
    a, b = channel.receive(WAIT)
    a.waitclose(WAIT)
    assert a.isclosed()
    b.waitclose(WAIT)
    assert not b.isclosed()
    b.send("still")
    assert channel.receive(WAIT) == "still"
    b.close()
    channel.send(None)
    channel.waitclose(WAIT)


def test_files_iteration_timeouts_and_closing(worker):
    channel = worker.run("""
        out = channel.makefile("w"); out.write("ab\\ncd"); out.flush()
        f = channel.makefile("r")
        channel.send((f.readline(), f.read(3), f.isatty(), repr(out)))
        try: channel.receive(timeout=0.01)
        except channel.TimeoutError as e: channel.send(str(e))
        try: channel.waitclose(timeout=0.01)
        except channel.TimeoutError as e: channel.send(str(e))
        try: channel.receive(0)
        except channel.TimeoutError as e: channel.send(repr(channel))
        channel.send(channel.receive(5))
        channel.send(channel.receive(5))
        channel.send(list(channel))
    """)
    assert channel.receive(WAIT) == "ab\ncd"
    channel.send("li")
    channel.send("ne\nxyz")
    line, rest, tty, shown = channel.receive(WAIT)
    assert (line, rest, tty) == ("line\n", "xyz", False)
    assert shown == "<ChannelFile %d open>" % channel.id
    assert channel.receive(WAIT) == "no item after 0.01 seconds"
    assert channel.receive(WAIT) == "Timeout after 0.01 seconds"
    assert channel.receive(WAIT) == "<Channel id=%d open>" % channel.id
    channel.send(1)
    channel.send(2)
    assert [channel.receive(WAIT), channel.receive(WAIT)] == [1, 2]
    channel.send(3)
    worker.gw._send(7, channel.id)  # CHANNEL_LAST_MESSAGE
    assert channel.receive(WAIT) == [3]


def test_remote_errors_are_raised_there(worker):
    channel = worker.run("""
        c = channel.gateway.newchannel()
        channel.send(c)
        got = [c.receive()]
        for f in (c.receive, c.receive, c.waitclose):
            try: f(); got.append("nothing")
            except c.RemoteError as e: got.append(str(e))
            except EOFError: got.append("EOF")
        try: c.send(1)
        except IOError as e: got.append(str(e))
        channel.send(got)
    """)
    inner = channel.receive(WAIT)
    inner.send(5)
    inner.close("broken")
    got = channel.receive(WAIT)
    assert got[:4] == [5, "broken", "EOF", "nothing"]
    assert got[4].startswith("cannot send to <Channel")


def test_many_executions_receive_at_once(worker):
    """The receiving threads and the background thread take turns in reading; nothing is lost."""
    source = """
        import time
        other = channel.gateway.newchannel()
        channel.send(other)
        total = 0
        for i in range(300):
            total += channel.receive(timeout=20) if i % 3 == 0 else channel.receive()
            if i % 7 == 0: other.send(i)
            if i % 50 == 0: time.sleep(0.006)
        channel.send(total)
        channel.waitclose(20) if total < 0 else None
    """
    channels = [worker.run(source) for _ in range(6)]
    others = [channel.receive(WAIT) for channel in channels]

    def feed(channel):
        for i in range(300):
            channel.send(i)
            if i % 40 == 0:
                time.sleep(0.002)
    threads = [threading.Thread(target=feed, args=(c,)) for c in channels]
    for t in threads:
        t.start()
    for t in threads:
        t.join(WAIT)
    for channel, other in zip(channels, others):
        assert channel.receive(WAIT) == 300 * 299 // 2
        assert [other.receive(WAIT) for _ in range(43)] == list(range(0, 300, 7))
        channel.waitclose(WAIT)


MIXED = """
import random, time
r = random.Random(%d)
n = channel.receive()
gw = channel.gateway
q = gw.execmodel.queue.Queue()
subs = [gw.newchannel() for _ in range(4)]
channel.send(subs)
def work(c, mode):
    got = []
    try:
        while mode < 3:
            try: got.append(c.receive(r.choice([0, 0.0005, 0.004])) if mode == 1 else c.receive())
            except c.TimeoutError: continue
            if mode == 2: time.sleep(r.choice([0, 0, 0.0001, 0.005]))
        c.setcallback(got.append, endmarker=None)
        c.waitclose()
        while got[-1:] != [None]: time.sleep(0.001)
        got.pop()
    except EOFError: pass
    q.put(got)
for i, c in enumerate(subs): gw.execmodel.start(work, (c, i))
own = []
for i in range(n):
    own.append(channel.receive())
    if i %% 17 == 0: time.sleep(r.choice([0, 0.004]))
channel.send([q.get() for c in subs] + [own])
"""


@pytest.mark.parametrize("seed", range(3))
def test_every_kind_of_waiting_at_once(worker, seed):
    n = 150
    channels = [worker.gw.remote_exec(MIXED % (seed * 2 + i)) for i in range(2)]
    threads = []

    def feed(channel, rand, close):
        for i in range(n):
            channel.send(i)
            if rand.random() < 0.05:
                time.sleep(rand.choice([0, 0.001, 0.004]))
        if close:
            channel.close()
    for channel in channels:
        channel.send(n)
        for sub in channel.receive(WAIT) + [channel]:
            rand = random.Random(seed + len(threads))
            threads.append(threading.Thread(target=feed, args=(sub, rand, sub is not channel)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    for channel in channels:
        assert channel.receive(WAIT) == [list(range(n))] * 5


def test_waiting_while_another_reads(worker):
    channel = worker.run("""
        gw = channel.gateway
        a, b = gw.newchannel(), gw.newchannel()
        done = gw.execmodel.queue.Queue()
        def wait():
            a.waitclose(); done.put("closed")
        def receive():
            done.put(b.receive())
        gw.execmodel.start(wait); gw.execmodel.start(receive); gw.execmodel.start(receive)
        channel.send((a, b))
        x = channel.receive()
        channel.send(sorted(str(done.get()) for i in range(3)) + [x])
    """)
    a, b = channel.receive(WAIT)
    a.close()
    b.send(1)
    b.send(2)
    channel.send("own")
    assert channel.receive(WAIT) == ["1", "2", "closed", "own"]


def test_full_pipes_both_ways(worker):
    """The worker goes on reading while user code waits in a write."""
    channel = worker.run("""
        big = b"x" * 1000000
        for i in range(5): channel.send(big)
        channel.send(sum(len(channel.receive()) for i in range(20)))
    """)
    for _ in range(20):
        channel.send(b"y" * 500000)
    for _ in range(5):
        assert len(channel.receive(WAIT)) == 1000000
    assert channel.receive(WAIT) == 20 * 500000


@pytest.mark.cpython
def test_an_interrupt_leaves_the_stream_whole(start):
    worker = start(NEWEST)
    worker.run("""
        import threading, time, os
        def shoot():
            for i in range(200):
                while not channel.gateway.ready: time.sleep(0.0005)
                channel.gateway.ready = False
                time.sleep(0.0001 * (i % 23)); os.kill(os.getpid(), 2)
        channel.gateway.shoot = shoot
        channel.gateway.ready = False
    """).waitclose(WAIT)
    channel = worker.run("""
        import threading
        echo = channel.gateway.newchannel()
        channel.send(echo)
        t = threading.Thread(target=channel.gateway.shoot); t.start()
        hits = 0
        while t.is_alive():
            try:
                channel.gateway.ready = True
                while 1:
                    x = echo.receive()
                    echo.send(b"y" * (x * 997 % 150000))
                    if not t.is_alive(): break
            except KeyboardInterrupt: hits += 1
        channel.send(hits)
    """)
    echo = channel.receive(WAIT)
    stop = threading.Event()

    def feed():
        i = 0
        while not stop.is_set():
            try:
                echo.send(i)
            except OSError:
                return
            i += 1
            time.sleep(0.0005)
    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        hits = channel.receive(60)
    finally:
        stop.set()
        feeder.join(WAIT)
    assert hits == 200
    assert worker.run("channel.send(b'z' * 100000)").receive(WAIT) == b"z" * 100000


@pytest.mark.cpython
def test_an_interrupt_leaves_large_items_whole(start):
    """Interrupts while the main thread reads large items, which come in pieces."""
    worker = start(NEWEST)
    channel = worker.run("""
        import threading, time, os
        ready = done = False
        def shoot():
            global ready
            for i in range(150):
                while not ready: time.sleep(0.0005)
                ready = False
                time.sleep(0.0001 * (i % 37)); os.kill(os.getpid(), 2)
        echo = channel.gateway.newchannel()
        channel.send(echo)
        hits, seen, wrong = 0, 0, 0
        t = threading.Thread(target=shoot); t.start()
        while t.is_alive() or hits < 150:
            try:
                ready = True
                while t.is_alive() or hits < 150:
                    item = echo.receive()
                    if item != item[:1] * len(item) or len(item) < 300000: wrong += 1
            except KeyboardInterrupt: hits += 1
        channel.send((hits, wrong))
    """)
    echo = channel.receive(WAIT)
    stop = threading.Event()

    def feed():
        i = 0
        while not stop.is_set():
            i += 1
            n = 300000 + i * 7919 % 900000
            item = bytes([i % 256]) * n
            frame = struct.pack("!bii", 4, echo.id, n + 6) + b"A" + struct.pack("!i", n) + item + b"Q"
            for at in range(0, len(frame), 150001):
                worker.io.write(frame[at:at + 150001])
                time.sleep(0.0005)
    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        assert channel.receive(60) == (150, 0)
    finally:
        stop.set()
        feeder.join(WAIT)
    assert worker.run("channel.send(5)").receive(WAIT) == 5


@pytest.mark.cpython
def test_an_exception_thrown_into_a_waiting_thread(start):
    worker = start(NEWEST)
    channel = worker.run("""
        import ctypes, threading, time
        class Stop(Exception): pass
        quiet, out = channel.gateway.newchannel(), []
        def wait():
            try:
                while 1:
                    try: quiet.receive(timeout=0.002)
                    except quiet.TimeoutError: pass
            except Stop: out.append("stopped")
        t = threading.Thread(target=wait); t.start(); time.sleep(0.05)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(t.ident), ctypes.py_object(Stop))
        t.join(5)
        channel.send(out)
        channel.send(channel.receive())
    """)
    assert channel.receive(WAIT) == ["stopped"]
    channel.send("on")
    assert channel.receive(WAIT) == "on"


def test_an_idle_worker_sleeps(start):
    worker = start(NEWEST)
    channel = worker.run("import os; channel.send(os.getpid()); channel.receive()")
    pid = channel.receive(WAIT)

    def switches():
        total = 0
        for task in glob.glob("/proc/%d/task/*/status" % pid):
            with open(task) as f:
                total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
        return total
    if not os.path.exists("/proc/self/status"):
        pytest.skip("counts context switches in /proc")
    woken = []  # on a busy machine it takes a while until all of its threads wait
    while len(woken) < 20 and (not woken or woken[-1] > 2):
        before = switches()
        time.sleep(0.5)
        woken.append(switches() - before)
    assert woken[-1] <= 2, woken
    channel.send(None)
    channel.waitclose(WAIT)


def test_unhandled_errors_are_warned_about(start):
    worker = start(NEWEST, stderr=subprocess.PIPE)
    channel = worker.run("c = channel.gateway.newchannel(); channel.send(c); channel.receive(); del c; import gc; gc.collect()")
    channel.receive(WAIT).close("lost")
    channel.send(None)
    channel.waitclose(WAIT)
    assert worker.stop() == 0
    assert b"Warning: unhandled RemoteError: lost" in worker.popen.stderr.read()


# A handler whose receive() interrupts that of the main thread, in each part of a message.
@pytest.mark.parametrize("python", PYTHONS, ids=label)
@pytest.mark.parametrize("size", [20, 100000, 3000000])
@pytest.mark.parametrize("part", [0, 5, 0.3, 0.9])
def test_a_signal_handler_that_receives(start, python, size, part):
    """It gets its item, and main the one that has come meanwhile, though nothing else comes."""
    worker = start(python)
    channel = worker.run("""
        import os, signal
        other = channel.receive()
        signal.signal(signal.SIGALRM, lambda *args: channel.send(other.receive()))
        channel.send((os.getpid(), str is bytes))
        for item in channel:
            channel.send((len(item), item == item[:1] * size))
    """.replace("size", str(size)))
    other = worker.gw.newchannel()
    channel.send(other)
    pid, python2 = channel.receive(WAIT)
    for n in range(1, 4):
        item = gateway_base.dumps_internal(b"%d" % n * size)
        message = struct.pack("!bii", gateway_base.Message.CHANNEL_DATA, channel.id, len(item)) + item
        first = part if part > 1 else int(part * len(message))
        worker.io.write(message[:first])
        time.sleep(0.1)
        os.kill(pid, signal.SIGALRM)
        time.sleep(0.1)
        worker.io.write(message[first:])
        other.send(n)
        came = [channel.receive(WAIT) for _ in range(2)]
        assert sorted(came, key=str) == sorted([n, (size, True)], key=str)
    channel.close()
    assert len(worker.run("channel.send(__import__('os').listdir('/dev/fd'))").receive(WAIT)) < 15


# The handler interrupts receive() just when what both wait for has been read. A signal that comes
# when Python is about to wait runs its handler with the next signal only, so there is one that does
# nothing. (In Python 2 none interrupts a thread that waits for another one that reads.)
@pytest.mark.parametrize("python", [python for python in PYTHONS if version(python)[0] == 3], ids=label)
def test_a_signal_that_comes_with_items(start, python):
    worker = start(python)
    channel = worker.run("""
        import os, signal
        other = channel.receive()
        signal.signal(signal.SIGALRM, lambda *args: channel.send(other.receive()))
        signal.signal(signal.SIGUSR1, lambda *args: None)
        channel.send(os.getpid())
        for item in channel:
            channel.send(item)
    """)
    other = worker.gw.newchannel()
    channel.send(other)
    pid = channel.receive(WAIT)
    for n in range(200):
        message = b"".join(
            struct.pack("!bii", gateway_base.Message.CHANNEL_DATA, to.id, 6) + gateway_base.dumps_internal(n)
            for to in (channel, other))
        worker.io.write(message)
        begin = time.perf_counter()
        while time.perf_counter() - begin < n % 100 / 500000:
            pass
        os.kill(pid, signal.SIGALRM)
        assert channel.receive(WAIT) == n
        try:
            assert channel.receive(1) == n
        except channel.TimeoutError:
            os.kill(pid, signal.SIGUSR1)
            assert channel.receive(WAIT) == n
    channel.close()
    worker.gw.exit()


@pytest.mark.parametrize("python", PYTHONS, ids=label)
@pytest.mark.parametrize("size", [20, 100000, 3000000])
def test_many_signal_handlers_that_receive(start, python, size):
    worker = start(python)
    channel = worker.run("""
        import signal
        other, size = channel.receive()
        got, wrong, n = [], [], 0
        def handler(*args):
            got.append(other.receive())
            signal.setitimer(signal.ITIMER_REAL, 0.0011)
        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.001)
        for item in channel:
            if len(item) != size or item != b"%d" % (n % 10) * size:
                wrong.append((n, len(item), item[:30]))
            n += 1
            channel.send(n)
        signal.signal(signal.SIGALRM, signal.SIG_IGN)
        channel.send((n, wrong[:3], got == list(range(len(got))), len(got)))
    """)
    other, stop = worker.gw.newchannel(), threading.Event()
    channel.send((other, size))

    def feed():
        i = 0
        while not stop.is_set():
            other.send(i)
            i += 1
            time.sleep(0.001)
    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        end, n = time.time() + 1, 0
        while time.time() < end or n < 20:
            channel.send(b"%d" % (n % 10) * size)
            n += 1
            assert channel.receive(WAIT) == n
        channel.gateway._send(gateway_base.Message.CHANNEL_LAST_MESSAGE, channel.id)
        done, wrong, in_order, handled = channel.receive(WAIT)
    finally:
        stop.set()
        feeder.join(WAIT)
    assert (done, wrong, in_order) == (n, [], True)
    assert handled > 20
