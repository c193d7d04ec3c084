"""Channels between pip's execnet and a Go worker, over every transport."""
import threading

import pytest

from conftest import WAIT, error


def test_send_and_receive(gw):
    channel = gw.remote_exec("""
        x = channel.receive()
        channel.send(x + 1)
        channel.send([x, {"x": x}])
    """)
    channel.send(41)
    assert channel.receive(WAIT) == 42
    assert channel.receive(WAIT) == [41, {"x": 41}]
    with pytest.raises(EOFError):
        channel.receive(WAIT)
    channel.waitclose(WAIT)
    assert channel.isclosed()


def test_iteration_on_both_sides(gw):
    channel = gw.remote_exec("""
        for x in channel:
            if x is None:
                break
            channel.send(x * 2)
    """)
    for x in [1, "a", 2.5, [0], None]:
        channel.send(x)
    assert list(channel) == [2, "aa", 5.0, [0, 0]]


def test_driver_times_out(gw):
    channel = gw.remote_exec("channel.receive()")
    with pytest.raises(channel.TimeoutError):
        channel.receive(0.01)
    with pytest.raises(channel.TimeoutError):
        channel.waitclose(0.01)
    channel.send(None)
    channel.waitclose(WAIT)


def test_worker_times_out(gw):
    channel = gw.remote_exec("""
        try:
            channel.receive(0.01)
        except channel.TimeoutError as e:
            channel.send(str(e))
        try:
            channel.receive(timeout=0)
        except channel.TimeoutError:
            channel.send("at once")
        try:
            channel.waitclose(timeout=0.01)
        except IOError as e:
            channel.send(str(e))
        channel.send(channel.receive(5))
        channel.receive(timeout=0.01)
    """)
    assert channel.receive(WAIT) == "no item after 0.01 seconds"
    assert channel.receive(WAIT) == "at once"
    assert channel.receive(WAIT) == "Timeout after 0.01 seconds"
    channel.send("in time")
    assert channel.receive(WAIT) == "in time"
    with pytest.raises(channel.RemoteError, match="TimeoutError: no item after 0.01 seconds"):
        channel.waitclose(WAIT)


def test_callback_and_endmarker_of_the_driver(gw):
    got, done = [], threading.Event()

    def callback(item):
        got.append(item)
        if item == "end":
            done.set()
    channel = gw.remote_exec("for i in range(5): channel.send(i)")
    channel.setcallback(callback, endmarker="end")
    assert done.wait(WAIT)
    assert got == [0, 1, 2, 3, 4, "end"]
    with pytest.raises(IOError):
        channel.receive()


def test_callback_and_endmarker_of_the_worker(gw):
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        inner.setcallback(channel.send, endmarker="end")
        channel.send(inner)
        try:
            inner.receive()
        except IOError as e:
            channel.send(str(e))
        try:
            inner.setcallback(channel.send)
        except IOError as e:
            channel.send("twice")
        inner.waitclose()
        channel.receive()
    """)
    inner = channel.receive(WAIT)
    assert channel.receive(WAIT) == "cannot receive(), channel has receiver callback"
    assert channel.receive(WAIT) == "twice"
    for item in [1, "two", {3: 3}]:
        inner.send(item)
        assert channel.receive(WAIT) == item
    inner.close()
    assert channel.receive(WAIT) == "end"
    channel.send(None)
    channel.waitclose(WAIT)


def test_items_from_before_the_callback(gw):
    channel = gw.remote_exec("""
        channel.receive()
        got = []
        inner = channel.receive()
        inner.setcallback(got.append, endmarker=None)
        inner.waitclose()
        import time
        while got[-1:] != [None]:
            time.sleep(0.001)
        channel.send(got)
    """)
    inner = gw.newchannel()
    channel.send("wait")
    channel.send(inner)
    for i in range(10):
        inner.send(i)
    inner.close()
    assert channel.receive(WAIT) == list(range(10)) + [None]


def test_failing_callback_closes_its_channel(gw):
    channel = gw.remote_exec("""
        def divide(x):
            channel.send(1 / x)
        inner = channel.receive()
        inner.setcallback(divide)
        channel.send("ready")
        channel.receive()
    """)
    inner = gw.newchannel()
    channel.send(inner)
    assert channel.receive(WAIT) == "ready"
    inner.send(2)
    assert channel.receive(WAIT) == 0.5
    inner.send(0)
    assert "ZeroDivisionError" in error(inner)
    channel.send(None)
    channel.waitclose(WAIT)


def test_callback_of_the_execution_outlives_its_source(gw):
    """When the source has ended, its callback still gets items that were sent before the close."""
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        other = channel.gateway.newchannel()
        inner.setcallback(lambda x: other.send(x + 1))
        channel.send((inner, other))
    """)
    inner, other = channel.receive(WAIT)
    channel.waitclose(WAIT)
    inner.send(1)
    assert other.receive(WAIT) == 2
    inner.close()


def test_files_both_ways(gw):
    channel = gw.remote_exec("""
        f = channel.makefile("w")
        f.write("ab\\nc")
        f.write("d\\n")
        f.flush()
        f = channel.makefile("r")
        channel.send([f.readline(), f.read(3), f.isatty()])
        try:
            channel.makefile("x")
        except ValueError:
            channel.send("no such mode")
    """)
    reader, writer = channel.makefile("r"), channel.makefile("w")
    assert reader.readline() == "ab\n"
    assert reader.read(3) == "cd\n"
    writer.write("li")
    writer.write("ne\nxyz")
    assert channel.receive(WAIT) == ["line\n", "xyz", False]
    assert channel.receive(WAIT) == "no such mode"


def test_files_that_close_their_channel(gw):
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        channel.send(inner)
        f = inner.makefile("w", proxyclose=True)
        f.write("all")
        f.close()
        other = channel.receive()
        f = other.makefile("r")
        channel.send([f.read(100), f.read(1), f.readline()])
    """)
    inner = channel.receive(WAIT)
    f = inner.makefile("r")
    assert (f.read(100), f.read(1)) == ("all", "")
    inner.waitclose(WAIT)
    other = gw.newchannel()
    channel.send(other)
    f = other.makefile("w", proxyclose=True)
    f.write("some")
    f.close()
    assert channel.receive(WAIT) == ["some", "", ""]


def test_channels_nested_in_values(gw):
    channel = gw.remote_exec("""
        gw = channel.gateway
        own = [gw.newchannel() for i in range(3)]
        channel.send({"a": own[0], ("b",): [own[1], (own[2],)]})
        for i, c in enumerate(own):
            c.send(i)
        got = channel.receive()
        channel.send([got["x"].receive(), got["y"][0][1].receive()])
        got["x"].send("back")
    """)
    got = channel.receive(WAIT)
    channels = [got["a"], got[("b",)][0], got[("b",)][1][0]]
    assert [c.receive(WAIT) for c in channels] == [0, 1, 2]
    x, y = gw.newchannel(), gw.newchannel()
    channel.send({"x": x, "y": [(None, y)]})
    x.send("to x")
    y.send("to y")
    assert channel.receive(WAIT) == ["to x", "to y"]
    assert x.receive(WAIT) == "back"


def test_the_same_channel_again(gw):
    channel = gw.remote_exec("""
        a, b = channel.receive()
        channel.send([a is b, a == b, a.id])
        channel.send((a, channel))
    """)
    inner = gw.newchannel()
    channel.send((inner, inner))
    assert channel.receive(WAIT) == [True, True, inner.id]
    assert channel.receive(WAIT) == (inner, channel)


def test_a_channel_over_another_channel(gw):
    """A channel can be sent over any channel of its gateway."""
    channel = gw.remote_exec("""
        first = channel.receive()
        second = first.receive()
        third = second.receive()
        third.send("deep")
        third.close()
    """)
    first, second, third = [gw.newchannel() for _ in range(3)]
    channel.send(first)
    first.send(second)
    second.send(third)
    assert list(third) == ["deep"]
    third.waitclose(WAIT)
    channel.waitclose(WAIT)


def test_representations(gw):
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        channel.send([repr(channel), repr(inner), inner.id % 2, channel.isclosed()])
        inner.close()
        channel.send([repr(inner), inner.isclosed()])
    """)
    shown, inner, odd, closed = channel.receive(WAIT)
    assert shown == "<Channel id=%d open>" % channel.id
    assert inner.startswith("<Channel id=") and inner.endswith(" open>")
    assert (odd, closed) == (0, False)
    assert channel.receive(WAIT) == [inner.replace("open", "closed"), True]


def test_status(gw, settle):
    settle(gw)
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        channel.send(inner)
        channel.receive()
    """)
    inner = channel.receive(WAIT)
    status = gw.remote_status()
    assert (status.numexecuting, status.numchannels, status.execmodel) == (1, 2, "thread")
    inner.close()
    channel.send(None)
    channel.waitclose(WAIT)
    settle(gw)


def test_reconfigure(gw):
    """With py3str_as_py2str the worker gets bytes for str."""
    channel = gw.remote_exec("""
        channel.send([channel.receive() == "text"])
        channel.send([channel.receive() == b"text"])
    """)
    channel.send("text")
    assert channel.receive(WAIT) == [True]
    channel.reconfigure(py2str_as_py3str=False, py3str_as_py2str=True)
    channel.send("text")
    assert channel.receive(WAIT) == [True]


def test_worker_reconfigures(gw):
    """A str of Python 2, here not valid UTF-8, arrives as text, then as bytes."""
    channel = gw.remote_exec("""
        x = channel.receive()
        channel.reconfigure(py2str_as_py3str=False, py3str_as_py2str=False)
        channel.send(x)
        channel.send(channel.receive())
    """)
    old = b"M\0\0\0\2\xe9!Q"
    gw._send(4, channel.id, old)
    assert channel.receive(WAIT) == u"\xe9!"
    gw._send(4, channel.id, old)
    assert channel.receive(WAIT) == b"\xe9!"


def test_printing_goes_nowhere(gw):
    channel = gw.remote_exec("""
        import sys
        print("noise")
        sys.stdout.write("noise\\n")
        channel.send(sys.stdin.read())
        print("more", 1, sep="-", end="")
    """)
    assert channel.receive(WAIT) == ""
    channel.waitclose(WAIT)


def test_full_pipes_both_ways(gw):
    channel = gw.remote_exec("""
        big = b"x" * 300000
        for i in range(5):
            channel.send(big)
        n = 0
        for i in range(10):
            n += len(channel.receive())
        channel.send(n)
    """)
    for _ in range(10):
        channel.send(b"y" * 200000)
    for _ in range(5):
        assert channel.receive(WAIT) == b"x" * 300000
    assert channel.receive(WAIT) == 10 * 200000
