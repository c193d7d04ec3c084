"""Channels between pip's execnet and the Python worker, and which waiting thread reads."""
import glob
import os
import random
import subprocess
import threading
import time

import pytest

from conftest import WAIT, error
from pythonworker import NEWEST


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
