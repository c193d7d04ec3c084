"""The Python worker answers on every channel, whatever goes wrong, on every CPython found."""
import os
import subprocess
import sys
import textwrap

import pytest

from conftest import WAIT, error
from pythonworker import NEWEST, PYTHONS, label, source


@pytest.fixture(params=PYTHONS, ids=label)
def python(request):
    return request.param


# Modules of the standard library that a traceback, a thread or a wait needs.
NEEDED = ["token", "tokenize", "linecache", "traceback", "re", "types", "threading", "queue", "Queue",
          "tempfile", "textwrap", "contextlib", "enum", "functools", "operator", "keyword", "heapq",
          "collections", "selectors", "signal", "weakref", "imp", "warnings", "copyreg", "reprlib"]


@pytest.fixture
def folder(tmp_path):
    """A user's folder with files that have the names of modules of the standard library."""
    for name in NEEDED:
        (tmp_path / (name + ".py")).write_text("mine = 1\n")
    return str(tmp_path)


def fails(worker, text="def f():\n    1/0\nf()\n"):
    return error(worker.run(text)).splitlines()


@pytest.mark.cpython
@pytest.mark.parametrize("where", ["main thread", "other thread"])
def test_modules_of_the_users_folder_are_not_taken(python, start, folder, where):
    worker = start(python, setup={"chdir": folder})
    if where == "other thread":
        busy = worker.run("channel.send(1); channel.receive()")
        assert busy.receive(WAIT) == 1
    for _ in range(2):
        lines = fails(worker)
        assert lines[:2] == ["Traceback (most recent call last):",
                             '  File "<remote exec>", line 3, in <module>']
        assert '  File "<remote exec>", line 2, in f' in lines and "    1/0" in lines
        assert lines[-1].startswith("ZeroDivisionError: ")
    model = "channel.gateway.execmodel"
    channel = worker.run("channel.send(%s.queue.Queue.__name__ + %s.Event().__class__.__name__)" % (model, model))
    assert channel.receive(WAIT).startswith("Queue")
    # The user's own modules are found all the same, unless the interpreter itself had loaded
    # another one at its start.
    channel = worker.run("import token, tokenize; channel.send((token.mine, tokenize.mine))")
    assert channel.receive(WAIT) == (1, 1)
    assert fails(worker)[-1].startswith("ZeroDivisionError: ")
    if where == "other thread":
        busy.send(None)
        busy.waitclose(WAIT)
    assert worker.stop() == 0


def test_the_users_modules_may_be_there_first(python, start, folder):
    worker = start(python, setup={"chdir": folder})
    lines = fails(worker, "import token, linecache, traceback\ndef f():\n    1/0\nf()\n")
    assert '  File "<remote exec>", line 3, in f' in lines and "    1/0" in lines
    assert lines[-1].startswith("ZeroDivisionError: ")
    assert worker.stop() == 0


def test_no_descriptor_is_left(python, start):
    worker = start(python)
    # Before 3.9 the first thread that ends needs a descriptor: the C library loads a library then.
    channel = worker.run("channel.gateway.execmodel.start(channel.send, (1,)); channel.receive()")
    assert channel.receive(WAIT) == 1
    channel.send(None)
    channel.waitclose(WAIT)
    channel = worker.run("""
        import os, resource
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        taken = []
        try:
            while True: taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError: pass
        channel.send(1)
        channel.receive()
        for fd in taken: os.close(fd)
    """)
    assert channel.receive(WAIT) == 1
    for _ in range(2):
        lines = fails(worker)
        assert '  File "<remote exec>", line 2, in f' in lines
        assert lines[-1].startswith("ZeroDivisionError: ")
    assert worker.gw.remote_status().numexecuting == 1
    channel.send(None)
    channel.waitclose(WAIT)
    lines = fails(worker)
    assert '  File "<remote exec>", line 2, in f' in lines and "    1/0" in lines
    assert worker.stop() == 0


UNPRINTABLE = {
    "raises": "def __str__(self): raise ValueError('no')",
    "exits": "def __str__(self): raise SystemExit(3)",
    "interrupts": "def __str__(self): raise KeyboardInterrupt",
    "no memory": "def __str__(self): raise MemoryError",
    "no text": "def __str__(self): return 3",
    "recursion": "def __str__(self): return str(self)",
    "surrogates": "def __str__(self): return u'\\ud800'",
}


@pytest.mark.parametrize("how", sorted(UNPRINTABLE))
def test_exceptions_that_cannot_be_printed(worker, how):
    text = "class Odd(Exception):\n    %s\nraise Odd()\n" % UNPRINTABLE[how]
    lines = fails(worker, text)
    assert '  File "<remote exec>", line 3, in <module>' in lines
    assert "Odd" in lines[-1]
    # The same as the error of a callback, which ends the channel but not the gateway.
    channel = worker.run(text.replace("raise Odd()", """
        def fail(item): raise Odd()
        c = channel.gateway.newchannel()
        c.setcallback(fail)
        channel.send(c)
        channel.receive()
    """.replace("\n        ", "\n")))
    inner = channel.receive(WAIT)
    inner.send(1)
    assert "Odd" in error(inner)
    channel.send(None)
    channel.waitclose(WAIT)
    assert worker.run("channel.send(4)").receive(WAIT) == 4


def test_odd_types_of_exceptions(worker):
    lines = fails(worker, textwrap.dedent("""
        class Meta(type):
            def __getattribute__(cls, name): raise RuntimeError(name)
        Odd = Meta("Odd", (Exception,), {})
        raise Odd("text")
    """))
    assert lines[0] == "Traceback (most recent call last):" and "Odd" in lines[-1]


def test_frames_of_causes_are_kept(worker):
    version = worker.run("import sys; channel.send(tuple(sys.version_info[:2]))").receive(WAIT)
    for last, error_type in [("channel.send(len)", "DumpError"), ("open('/no/such/file')", "FileNotFoundError")]:
        lines = fails(worker, textwrap.dedent("""
            def deep(n):
                if n: deep(n - 1)
                else: 1/0
            try:
                deep(2)
            except ZeroDivisionError:
                %s
        """) % last)
        assert error_type in lines[-1] or worker.py2 and "IOError" in lines[-1]
        frames = [line for line in lines if line.startswith("  File")]
        assert all("<remote exec>" in frame for frame in frames)
        # Python 2 shows no causes. Until 3.6 the limit of a DumpError holds for its causes, too.
        assert len(frames) == 5 if version >= (3, 7) else frames


def test_what_is_told_beside_the_text_may_be_odd(start):
    """The text alone is sent, if what describe() returns cannot be."""
    worker = start(NEWEST)
    channel = worker.run("""
        gateway = channel.gateway
        type(gateway)._about = lambda self: {"message": object()}
        other = gateway.newchannel()
        def fail(item): 1/0
        other.setcallback(fail)
        channel.send(other)
        1/0
    """)
    other = channel.receive(WAIT)
    assert "ZeroDivisionError" in error(channel)
    other.send(1)
    assert "ZeroDivisionError" in error(other)


def test_long_error_texts_are_cut(worker):
    formatted = error(worker.run("raise ValueError('a' * (3 << 20) + 'end')"))
    assert formatted.startswith("Traceback") and formatted.rstrip().endswith("aend")
    assert "bytes are left out here" in formatted
    assert len(formatted) < (1 << 20) + 200


@pytest.mark.parametrize("what", ["ValueError('no')", "SystemExit(3)", "KeyboardInterrupt()"])
def test_callbacks_end_their_channel_only(worker, what):
    """A callback that raises anything for an item, or for the endmarker."""
    channel = worker.run("""
        def fail(item):
            raise %s
        def fail_at_end(item):
            if item == "end": raise %s
        first, second = channel.gateway.newchannel(), channel.gateway.newchannel()
        first.setcallback(fail)
        second.setcallback(fail_at_end, endmarker="end")
        channel.send((first, second))
        channel.receive()
    """ % (what, what))
    first, second = channel.receive(WAIT)
    first.send(1)
    assert what.split("(")[0] in error(first)
    second.send(1)
    second.close()
    channel.send(None)
    channel.waitclose(WAIT)
    assert worker.run("channel.send(4)").receive(WAIT) == 4


def test_an_interrupt_while_a_message_is_handled(start):
    """It ends the execution that read the message, and the message's own channel gets an answer."""
    worker = start(NEWEST)
    first = worker.run("""
        import signal
        gateway = channel.gateway
        loads = gateway._received.__globals__["loads"]
        def interrupted(data, *args):
            if b"the second" in data:
                gateway._received.__globals__["loads"] = loads
                raise KeyboardInterrupt
            return loads(data, *args)
        gateway._received.__globals__["loads"] = interrupted
        channel.send(1)
        channel.receive()
    """)
    assert first.receive(WAIT) == 1
    second = worker.run("channel.send('the second')")
    assert "KeyboardInterrupt" in error(second)
    assert worker.run("channel.send(4)").receive(WAIT) == 4


def test_no_thread_for_reading(start):
    """The first execution needs one. It gets the error, and the next one may be luckier."""
    worker = start(NEWEST, text=source("""
real = start_thread
def fail(*args):
    global start_thread
    start_thread = real
    raise RuntimeError("can't start new thread")
start_thread = fail
serve_popen("gw0-worker")
"""))
    assert "RuntimeError: can't start new thread" in error(worker.run("channel.send(3)"))
    assert worker.run("channel.send(4)").receive(WAIT) == 4
    assert worker.stop() == 0


SHORT_OF_MEMORY = """
    import resource
    def limit(room):
        with open("/proc/self/statm") as f:
            used = int(f.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + room, resource.RLIM_INFINITY))
"""
SIZE = 80 << 20  # a thread may have 64 MiB of its own, reserved before the limit was set


@pytest.mark.cpython
@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory as only Linux can")
@pytest.mark.parametrize("python, what", [(python, "text") for python in PYTHONS] + [
    (python, what) for python in sorted({PYTHONS[0], NEWEST})
    for what in ("bytes", "list", "for a callback", "source")])
def test_a_message_for_which_there_is_no_memory(start, python, what):
    """Its channel gets the error, whoever reads it; nothing else happens."""
    worker = start(python)
    first = worker.run(SHORT_OF_MEMORY + """
    limit(24 << 20)
    other = channel.gateway.newchannel()
    channel.send(other)
    what = channel.receive()
    if what == "for a callback":
        other.setcallback(len)
    if what in ("for a callback", "source"):
        channel.receive()
    else:
        other.receive()
    """)
    other = first.receive(WAIT)
    first.send(what)
    if what == "source":
        other = worker.run("#" * SIZE)
    else:
        other.send({"text": u"x" * SIZE, "list": [b"y" * 1000] * (SIZE // 1000)}.get(what, b"x" * SIZE))
    assert error(other).startswith("MemoryError: no memory for a message of 8")
    assert worker.run("channel.send(4)").receive(WAIT) == 4
    if what in ("for a callback", "source"):
        first.send(None)
        first.waitclose(WAIT)
    else:
        # receive raised it there, too.
        assert "MemoryError: no memory for a message" in error(first)
    # With so little memory left an orderly end may fail, too.
    worker.run("import resource; resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)").waitclose(WAIT)
    assert worker.stop() == 0


@pytest.mark.cpython
@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory as only Linux can")
def test_an_item_that_cannot_be_made_for_lack_of_memory(python, start):
    worker = start(python)
    channel = worker.run(SHORT_OF_MEMORY + """
    text = u"x" * (30 << 20)
    limit(40 << 20)
    channel.send([text, text])
    """)
    assert error(channel).rstrip().endswith("MemoryError")
    assert worker.run("channel.send(4)").receive(WAIT) == 4
    assert worker.stop() == 0


def test_no_memory_for_telling_of_it(start):
    """The worker ends, and says why on stderr, which a driver shows."""
    worker = start(NEWEST, stderr=subprocess.PIPE)
    channel = worker.run("""
        scope = channel.gateway._received.__globals__
        def fail(*args): raise MemoryError
        scope["dumps"] = scope["loads"] = fail
        channel.send(1)
        channel.receive()
    """)
    assert channel.receive(WAIT) == 1
    channel.send("text")
    with pytest.raises(EOFError):
        channel.waitclose(WAIT)
    assert worker.popen.wait(WAIT) == 1
    assert worker.popen.stderr.read() == b"execnet worker: out of memory\n"
