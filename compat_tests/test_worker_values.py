"""Values between pip's execnet and the Python worker, on every CPython found."""
import struct
import sys
import time

import execnet
import pytest

from conftest import WAIT, error
from pythonworker import NEWEST, Worker


VALUES = [
    None, True, False, 0, -1, 2**31 - 1, -2**31, 2**31, -2**31 - 1, 2**63, -2**70, 10**4299,
    10**4300 - 1, 1 - 10**4300, 0.0, -1.5, float("inf"), 1 + 2j, b"", b"\x00\xff" * 10,
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


def test_large_bytes_that_come_in_pieces(worker):
    """With the header alone first, byte by byte, with what follows behind it, and many reads long."""
    channel = worker.run("""
        import time
        channel.send(None)
        for wait in True, False:
            while True:
                item = channel.receive(20) if wait else channel.receive()
                if item == 0: break
                total = sum(map(ord, item[::4093]) if str is bytes else item[::4093])
                channel.send((len(item), total, item[:20] + item[-20:]))
    """)
    channel.receive(WAIT)
    body = bytes(bytearray(range(1, 251))) * 6000
    for _ in range(2):
        for size, cuts in [(600000, [14]), (600000, [13, 14, 15]), (600001, [9 + 5 + 600001]),
                           (700001, [14, 9 + 5 + 700001 - 1]), (1500000, range(14, 1500000, 9973)),
                           (300000, range(1, 40)), (262200, [])]:
            item = body[:size]
            frame = struct.pack("!bii", 4, channel.id, size + 6) + b"A" + struct.pack("!i", size) + item + b"Q"
            frame += frame[:9] + b"A" + struct.pack("!i", size) + item[::-1] + b"Q"
            cuts = [0] + list(cuts) + [len(frame)]
            for begin, end in zip(cuts, cuts[1:]):
                worker.io.write(frame[begin:end])
                if len(cuts) < 6:
                    time.sleep(0.02)
            for sent in item, item[::-1]:
                ends = sent[:20] + sent[-20:]
                expected = size, sum(sent[::4093]), ends.decode("latin-1") if worker.py2 else ends
                assert channel.receive(WAIT) == expected
        channel.send(0)
    channel.waitclose(WAIT)


BUFFERS = [  # each with the bytes of its items, in their order
    ("bytearray(b'ab')", b"ab"), ("bytearray()", b""), ("memoryview(b'abc')", b"abc"),
    ("memoryview(b'abcdef')[1:5]", b"bcde"), ("bytearray(b'x' * 3000000)", b"x" * 3000000),
    ("array.array('b', [1, -1])", b"\1\xff"), ("array.array('d', [1.5])", struct.pack("d", 1.5)),
    ("(ctypes.c_uint8 * 3)(1, 2, 3)", b"\1\2\3"),
    ("((ctypes.c_uint16 * 2) * 2)((1, 2), (3, 4))", struct.pack("4H", 1, 2, 3, 4)),
    ("array.array('b', [1]) * 3000000", b"\1" * 3000000),
    ("mapped", b"mapped" + bytes(4090)),
]
BUFFERS_OF_3 = [
    ("memoryview(b'abcdef')[::2]", b"ace"), ("memoryview(b'x' * 600000)[::-2]", b"x" * 300000),
    ("memoryview(bytearray(range(6))).cast('B', (2, 3))[::-1]", b"\3\4\5\0\1\2"),
    ("(ctypes.c_uint16.__ctype_be__ * 2)(1, 2)", b"\0\1\0\2"),
    ("memoryview(array.array('i', [1, 2, 3]))[1:]", struct.pack("2i", 2, 3)),
    ("type('B', (bytes,), {})(b'sub')", b"sub"),
    ("(ctypes.c_uint16 * 0)()", b""),
]


@pytest.mark.cpython
def test_buffers_are_sent_as_bytes(worker):
    """By themselves and inside others, also where execnet would raise a DumpError."""
    items = BUFFERS + ([] if worker.py2 else BUFFERS_OF_3)
    channel = worker.run("import array, ctypes, mmap\n"
                         "mapped = mmap.mmap(-1, 4096)\nmapped.write(b'mapped')\n"
                         "for item in [%s]:\n    channel.send(item); channel.send([item, {1: item}])\n"
                         "    channel.send(3)" % ", ".join(text for text, _ in items))
    for text, expected in items:
        for expected in expected, [expected, {1: expected}], 3:
            assert channel.receive(WAIT) == expected, text
    channel.waitclose(WAIT)


@pytest.mark.cpython
def test_what_has_a_buffer_but_cannot_be_sent(worker):
    channel = worker.run("""
        import ctypes
        class Text(str): pass
        released = memoryview(b"x")
        items = [ctypes.c_int(1), ctypes.c_double(2), (ctypes.py_object * 1)(1), Text("x")]
        if str is not bytes:
            released.release()
            items.append(released)
        for item in items:
            for value in item, [0, item]:
                try: channel.send(value)
                except Exception as e: channel.send("%s: %s" % (type(e).__name__, e))
    """)
    for shown in ["c_int", "c_double", "py_object", "Text"] + ([] if worker.py2 else ["memoryview"]):
        for path in "the value", "[1]":
            said = channel.receive(WAIT)
            assert said.startswith("DumpError: can't serialize " + path + ": ") and shown in said
            assert "pointers to objects" in said or "py_object" not in said
            assert "released" in said or "memoryview" not in said
    channel.waitclose(WAIT)


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


UNSENDABLE = [
    ('{u"rows": [{u"kind": object()}]}', u'["rows"][0]["kind"]: <%s \'object\'> cannot be sent'),
    ('(1, {u"a\\"\\n\\u20ac": [frozenset([len])]})',
     u'[1]["a\\"\\n\u20ac"][0]{<built-in function len>}: '),
    ("{3: 1, (2, u'x'): {4: Mine()}}", u"[(2, %s)][4]: <class '__channelexec__.Mine'> cannot be sent"),
    ("{len: 1}", u"[<built-in function len>]: "),
    ("Mine()", u"the value: <class '__channelexec__.Mine'> cannot be sent"),
    ("[[0], 10**4300]", u"[1]: an int of more than 4300 digits"),
    ("-10**4300", u"the value: an int of more than 4300 digits"),
    ("loop", u"[1][0]: the value contains itself"),
    ("deep", u"nested too deep"),
    ("[Unprintable()]", u"[0]: <class '__channelexec__.Unprintable'> cannot be sent"),
    ("{Unprintable(): 1}", u"[<Unprintable>]: <class '__channelexec__.Unprintable'> cannot be sent"),
]


@pytest.mark.parametrize("value, text", UNSENDABLE)
def test_a_dump_error_names_the_place(worker, value, text):
    """And the last frame of its traceback is that of the source."""
    channel = worker.run(u"""
        class Mine(object): pass
        class Unprintable(object):
            def __repr__(self): raise ValueError
        loop = [0]; loop.append([loop])
        deep = []
        for i in range(100000): deep = [deep]
        try:
            channel.send(%s)
        finally:
            while deep: deep = deep.pop()
    """ % value)
    lines = error(channel).splitlines()
    if "%s" in text:
        text %= ("type" if worker.py2 else "class") if "kind" in text else "u'x'" if worker.py2 else "'x'"
    assert u"DumpError: can't serialize " in lines[-1] and text in lines[-1]
    assert [line for line in lines if line.startswith("  File")] == [
        '  File "<remote exec>", line 9, in <module>']


def test_text_that_is_no_text(worker):
    if worker.py2:  # it is text there, and ends execnet's driver
        assert worker.run("channel.send(len(u'a\\udc00'.encode('utf-8')))").receive(WAIT) == 4
        return
    for value in ("u'a\\udc00'", "[u'a\\udc00']", "u'a\\udc00' * 3000"):
        lines = error(worker.run("channel.send(%s)" % value)).splitlines()
        assert "not valid UTF-8" in lines[-1] and len(lines) < 7


def test_types_are_known_by_their_names(worker):
    """As execnet does it. So numpy.bool, which is called bool, is sent as a bool."""
    channel = worker.run("""
        class bool(object):
            def __init__(self, x): self.x = x
            def __len__(self): return self.x
        class list(list): pass
        channel.send([bool(1), bool(0), {1: list("ab")}])
    """)
    assert channel.receive(WAIT) == [True, False, {1: ["a", "b"]}]


def test_long_ints_are_loaded(worker):
    """Although none so long is sent: Python 3.11 and later would refuse it."""
    channel = worker.run("channel.send(channel.receive() == 10**9000 + 3)")
    channel.send(10**9000 + 3)
    assert channel.receive(WAIT) is True


@pytest.mark.skipif(sys.maxsize < 2**32, reason="needs more than 2 GiB of addresses")
def test_what_is_too_long_for_a_message(worker):
    """More than 2 GiB, from little memory: bytes(n) is not touched, and a list can repeat an item."""
    channel = worker.run("""
        import sys
        values = [[b"x" * 2**20] * 2048]
        if sys.version_info[0] > 2: values.append(bytes(2**31 - 3))
        channel.send(len(values))
        for value in values:
            try: channel.send(value)
            except Exception as e: channel.send(type(e).__name__ + ": " + str(e))
    """)
    for _ in range(channel.receive(WAIT)):
        text = channel.receive(WAIT)
        assert text == "DumpError: can't serialize the value: it takes more than 2147483647 bytes"


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
