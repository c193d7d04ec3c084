"""What an item may cost the Python worker in memory, on every CPython found."""
import os
import struct

import execnet
import pytest

from conftest import WAIT
from pythonworker import NEWEST, Worker


def n32(op, n):
    return op + struct.pack("!i", n)


def repeated(unit):
    n = 400000 // len(unit)
    return unit * n + n32(b"@", n) + b"Q"


MANY_CHANNELS = b"".join(n32(b"B", 2 * i + 1001) for i in range(20000)) + n32(b"@", 20000) + b"Q"


@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="measured by Linux's /proc")
def test_an_item_that_takes_too_much_ends_its_channel(worker):
    control = worker.run("""
        def peak():
            for line in open("/proc/self/status"):
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) * 1024
        for item in channel:
            channel.send(peak())
            with open("/proc/self/clear_refs", "w") as f:
                f.write("5")
    """)

    def peak():
        control.send(None)
        return control.receive(WAIT)

    # What the worker counts for a dict is what it takes in a newer Python.
    for payload in [repeated(b"J"), repeated(n32(b"O", 0)), repeated(b"JLLP"), MANY_CHANNELS,
                    n32(b"K", 100000) * 100 + b"L" * 100000 + b"Q"]:
        channel = worker.run("channel.receive()")
        peak()
        before = peak()
        worker.gw._send(4, channel.id, payload)
        with pytest.raises(execnet.RemoteError) as error:
            channel.waitclose(WAIT)
        assert "more memory than 24 times" in str(error.value)
        assert peak() - before < 60 * len(payload) + 2 ** 21, payload[:10]


def test_what_programs_send_is_loaded(worker):
    channel = worker.run("for item in channel: channel.send(len(item))")
    for value in [list(range(30000)), [None] * 50000, (None,) * 100000, ["x"] * 30000,
                  [[]] * 20000, [()] * 20000, [{}] * 20000, [{"a": 1}] * 20000, [set()] * 20000,
                  dict((i, str(i)) for i in range(20000)), dict((i, {}) for i in range(20000)),
                  set(range(20000)), [channel] * 1000]:
        channel.send(value)
        assert channel.receive(WAIT) == len(value)


def test_the_variable_allows_more():
    worker = Worker(NEWEST, env={"EXECNET_MAX_COST": "1000"}).started()
    channel = worker.run("channel.send(len(channel.receive()))")
    worker.gw._send(4, channel.id, MANY_CHANNELS)
    assert channel.receive(WAIT) == 20000
    assert worker.stop() == 0
