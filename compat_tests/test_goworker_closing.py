"""How channels between pip's execnet and a Go worker end: closed, closed with an error, dropped."""
import gc
import threading
import time

import pytest

from conftest import WAIT, error


def test_driver_closes(gw):
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        channel.send(inner)
        got = list(inner)
        inner.waitclose()
        try:
            inner.receive()
        except EOFError:
            got.append("EOF")
        try:
            inner.send(1)
        except IOError as e:
            got.append(str(e))
        inner.close()
        channel.send(got + [inner.isclosed()])
    """)
    inner = channel.receive(WAIT)
    inner.send("item")
    inner.close()
    got = channel.receive(WAIT)
    assert got[:2] == ["item", "EOF"]
    assert got[2] == "cannot send to <Channel id=%d closed>" % inner.id
    assert got[3] is True


def test_driver_closes_with_an_error(gw):
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        channel.send(inner)
        got = [inner.receive()]
        for f in (inner.receive, inner.receive, inner.waitclose):
            try:
                f()
                got.append("nothing")
            except inner.RemoteError as e:
                got.append(str(e))
            except EOFError:
                got.append("EOF")
        channel.send(got)
    """)
    inner = channel.receive(WAIT)
    inner.send(5)
    inner.close("broken")
    assert channel.receive(WAIT) == [5, "broken", "EOF", "nothing"]


def test_worker_closes(gw):
    channel = gw.remote_exec("""
        inner = channel.receive()
        inner.send(1)
        inner.close()
        inner.close()
        channel.receive()
    """)
    inner = gw.newchannel()
    channel.send(inner)
    assert list(inner) == [1]
    inner.waitclose(WAIT)
    with pytest.raises(IOError, match="cannot send to"):
        inner.send(1)
    channel.send(None)
    channel.waitclose(WAIT)


def test_worker_closes_with_an_error(gw):
    channel = gw.remote_exec("""
        inner = channel.receive()
        inner.send(1)
        inner.close("worn \\u20ac")
        channel.receive()
    """)
    inner = gw.newchannel()
    channel.send(inner)
    assert inner.receive(WAIT) == 1
    with pytest.raises(inner.RemoteError) as info:
        inner.receive(WAIT)
    assert info.value.formatted == u"worn \u20ac"
    inner.waitclose(WAIT)  # it was raised already
    channel.send(None)
    channel.waitclose(WAIT)


def test_sources_cannot_close_their_channel(gw):
    channel = gw.remote_exec("""
        try:
            channel.close()
        except IOError as e:
            channel.send(str(e))
        channel.close("anyway")
    """)
    assert channel.receive(WAIT) == "cannot explicitly close channel within remote_exec"
    assert "OSError: cannot explicitly close channel within remote_exec" in error(channel)


def test_driver_closes_the_execution(gw):
    """The source sees that its channel is closed. When it ends, nothing more is sent on it."""
    other = gw.newchannel()
    channel = gw.remote_exec("""
        other = channel.receive()
        got = list(channel)
        try:
            channel.send(1)
        except IOError:
            other.send(["refused", channel.isclosed()] + got)
        other.close()
    """)
    channel.send(other)
    channel.send(0)
    channel.close()
    assert other.receive(WAIT) == ["refused", True, 0]
    other.waitclose(WAIT)


def test_sendonly_worker(gw):
    """The driver drops a channel with a callback: from then on the worker can only send."""
    got, done = [], threading.Event()

    def callback(item):
        got.append(item)
        if item == "end":
            done.set()
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        channel.send(inner)
        try:
            inner.receive()
        except EOFError:
            inner.send("still open: " + str(not inner.isclosed()))
        inner.waitclose()
        inner.send("more")
        inner.close()
        channel.receive()
    """)
    inner = channel.receive(WAIT)
    inner.setcallback(callback, endmarker="end")
    del inner
    gc.collect()
    assert done.wait(WAIT)  # a Python worker would not send the close
    assert got == ["still open: True", "more", "end"]
    channel.send(None)
    channel.waitclose(WAIT)


def test_driver_drops_its_last_reference(gw):
    channel = gw.remote_exec("""
        inner = channel.gateway.newchannel()
        channel.send(inner)
        inner.waitclose()
        channel.send(inner.isclosed())
    """)
    inner = channel.receive(WAIT)
    del inner
    gc.collect()
    assert channel.receive(WAIT) is True


def test_worker_drops_its_channels(gw):
    """Channels that an execution drops are closed, except those with a callback."""
    channel = gw.remote_exec("""
        a = channel.gateway.newchannel()
        channel.send(a)
    """)
    a = channel.receive(WAIT)
    channel.waitclose(WAIT)
    end = time.time() + WAIT
    while not a.isclosed():  # Go collects garbage only from time to time, and if there is some
        assert time.time() < end, "the worker keeps a channel that nobody can reach"
        gw.remote_exec("x = [str(i) for i in range(30000)]").waitclose(WAIT)
        time.sleep(0.02)
