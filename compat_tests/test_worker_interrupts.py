"""Interrupts, exceptions and signal handlers that reach a thread of the Python worker while it reads."""
import os
import signal
import struct
import threading
import time

import pytest
from execnet import gateway_base

from conftest import WAIT
from pythonworker import NEWEST, PYTHONS, label, version


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


# A signal handler may have received it since its thread looked, and then there is nothing to read.
@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_nothing_is_read_when_it_has_come(start, python):
    channel = start(python).run("channel.send(channel.gateway._lead(lambda: True))")
    assert channel.receive(WAIT) == "again"


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
