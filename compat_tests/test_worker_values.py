"""Values between pip's execnet and bootstrap/worker.py, on every CPython found."""
import struct

import execnet
import pytest

from conftest import WAIT
from pythonworker import NEWEST, Worker


VALUES = [
    None, True, False, 0, -1, 2**31 - 1, -2**31, 2**31, -2**31 - 1, 2**63, -2**70, 10**4299,
    10**5000 + 7, -(10**9000) - 3, 0.0, -1.5, float("inf"), 1 + 2j, b"", b"\x00\xff" * 10,
    b"x" * 4090, b"x" * 5000, b"y" * 70000, b"z" * 3000000, u"", u"a\u00e9\u20ac\U0001f600", u"x" * 2000,
    u"\u20ac" * 50000, [], [1, [2, [3]]], (), (1, "a", (None,)), {}, {1: 2, "a": [b"b"]},
    {(1, 2): {"k": frozenset([1])}}, set([1, 2]), frozenset(["a"]), [None] * 1000,
    dict((i, str(i)) for i in range(1000)),
]


def test_values_of_every_type(worker):
    channel = worker.run("for item in channel: channel.send(item)")
    for value in VALUES:
        if type(value) is int and value < -2**31:  # execnet cannot send these
            digits = str(value).encode()
            worker.gw._send(4, channel.id, b"H" + struct.pack("!i", len(digits)) + digits + b"Q")
        else:
            channel.send(value)
        back = channel.receive(WAIT)
        if worker.py2:  # its bytes are str, which arrives as latin-1 text
            if isinstance(value, bytes):
                value = value.decode("latin-1")
            elif isinstance(value, dict) and "a" in value:
                value = {1: 2, "a": ["b"]}
        assert back == value and type(back) is type(value)
    channel.close()


def test_types_seen_remotely(worker):
    channel = worker.run("for item in channel: channel.send((type(item).__name__, repr(item)))")
    text = "unicode" if worker.py2 else "str"
    for value, name in [(1, "int"), (True, "bool"), (u"x", text), (1.0, "float"), ((1,), "tuple"),
                        (b"x", "str" if worker.py2 else "bytes"), (frozenset(), "frozenset")]:
        channel.send(value)
        assert channel.receive(WAIT)[0] == name
    channel.close()


def test_what_cannot_be_sent(worker):
    channel = worker.run("""
        class Mine(object): pass
        loop = []; loop.append(loop)
        deep = ()
        for i in range(100000): deep = (deep,)
        for item in (Mine(), loop, deep, type('D', (dict,), {})()):
            try: channel.send(item)
            except Exception as e: channel.send(type(e).__name__)
            else: channel.send("sent")
        del deep
    """)
    assert list(channel) == ["DumpError"] * 4


def test_deep_values_arrive(worker):
    depth = 20000
    payload = b"K\0\0\0\1F\0\0\0\0" * depth + b"L" + b"P" * depth + b"Q"
    channel = worker.run("""
        x, n = channel.receive(), 0
        while x is not None: x, n = x[0], n + 1
        channel.send(n)
    """)
    worker.gw._send(4, channel.id, payload)
    assert channel.receive(WAIT) == depth


@pytest.mark.parametrize("payload", [
    b"", b"F\0\0", b"A\xff\xff\xff\xffQ", b"A\x7f\xff\xff\xffQ", b"K\x7f\xff\xff\xffQ",
    b"K\xff\xff\xff\xffQ", b"@\0\0\0\1Q", b"@\xff\xff\xff\xffQ", b"LL", b"LLQ", b"LQQ", b"LF\0\0\0\0LPQ",
    b"PQ", b"JKKKPQ", b"J" + b"K\0\0\0\0" + b"LPQ", b"\xffQ", b"N\0\0\0\1\xffQ", b"H\0\0\0\1xQ",
    b"K\0\0\0\1F\xff\xff\xff\xffLPQ", b"A\0\0\0\1xxQ", b"F\0\0\0\1L",
])
def test_hostile_payloads_end_their_channel_only(payload, newest):
    channel = newest.run("channel.receive()")
    newest.gw._send(4, channel.id, payload)
    with pytest.raises(channel.RemoteError, match="LoadError|offset|value"):
        channel.receive(WAIT)
    assert newest.run("channel.send(1)").receive(WAIT) == 1


@pytest.fixture(scope="module")
def newest():
    """One worker under the newest interpreter."""
    worker = Worker(NEWEST).started()
    yield worker
    assert worker.stop() == 0


def test_reconfigure(worker):
    channel = worker.run("""
        channel.receive()
        channel.send(type(channel.receive()).__name__)
        channel.reconfigure(py2str_as_py3str=False)
        channel.send("native")
    """)
    channel.reconfigure(py3str_as_py2str=True)
    channel.send("go")
    channel.send("text")
    # This end of the channel has the same strconfig now, but execnet 1.x loads with the gateway's.
    name = channel.receive(WAIT)
    if execnet.__version__.startswith("1."):
        assert name in ("str", "bytes")
    else:
        assert name == ("str" if worker.py2 else b"bytes")
    assert channel.receive(WAIT) == (b"native" if worker.py2 else "native")
