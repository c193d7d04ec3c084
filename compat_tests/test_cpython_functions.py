"""Go functions of a worker program, called from the CPython behind it, with pip's execnet driving:
values, errors, and channels to receive from.

What gpython does with them the CPython has to do as well: the tests of test_goworker_functions run
here, too.
"""
import time

import pytest

from conftest import WAIT, error
from cpythonworker import gw, popen_gw, run
from test_goworker_functions import *  # noqa: F401,F403


@pytest.fixture(scope="module")
def gofuncs(popen_gw):
    return popen_gw


# ---- values

def test_values_of_every_type(gw):
    assert run(gw, """
        import gofuncs, sys
        values = [None, True, 0, -1, 2 ** 31 - 1, -2 ** 31, 2 ** 31, 2 ** 63, -2 ** 200, 1.5, float("inf"), 1 - 2j, u"", u"\\u20ac",
                  [], [1, [2, u"x"]], (), (1, (2,)), {}, {u"a": 1, (1, 2): None}, set([1]), frozenset([2]), u"x" * 70000]
        if sys.version_info[0] == 3:
            values += [b"", b"\\0\\xff", b"x" * 70000]
        same = [gofuncs.echo(v) == v and type(gofuncs.echo(v)) is type(v) for v in values]
        channel.send([repr(v) for v, ok in zip(values, same) if not ok] if not all(same) else "same")
    """) in ("same", ["2147483648L", "0L"])


@pytest.mark.parametrize("size", [0, 1, 4080, 4096, 65536, 262144, 262150, 300000, 1 << 20, 20 << 20])
def test_bytes_of_all_sizes(gw, size):
    assert run(gw, """
        import gofuncs
        data = b"x" * %d
        channel.send((gofuncs.size(data), gofuncs.zeros(len(data)) == b"\\0" * len(data), len(gofuncs.echo([data, 1])[0])))
    """ % size) == (size, True, size)


def test_a_great_many_large_parts(popen_gw):
    assert run(popen_gw, """
        import gofuncs
        parts = [bytes([i % 256]) * 65537 for i in range(600)]
        channel.send(gofuncs.echo(parts) == parts)
    """)


def test_a_value_that_costs_much(gw):
    """It is in memory already, and many times as large as its bytes."""
    assert run(gw, "import gofuncs\nchannel.send(gofuncs.echo([[]] * 300000) == [[]] * 300000)")


def test_channels_of_all_origins(gw):
    channel = gw.remote_exec("""
        import gofuncs
        given, made = channel.receive(), channel.gateway.newchannel()
        channel.send(made)
        same = gofuncs.echo((channel, given, made))
        assert same[0] is channel and same[1] is given and same[2] is made
        channel.send((gofuncs.listen(given), gofuncs.listen(made)))
    """)
    given = gw.newchannel()
    channel.send(given)
    made = channel.receive(WAIT)
    for n in 1, 2, 3:
        given.send(n)
        made.send(n * 10)
    given.close()
    made.close()
    assert channel.receive(WAIT) == (6, 60)


def test_a_channel_that_only_go_has(gw):
    """Go receives it inside an item, and the program never sees it."""
    channel = gw.remote_exec("import gofuncs; gofuncs.keep()")
    inner = gw.newchannel()
    channel.send(inner)
    time.sleep(0.1)
    assert not inner.isclosed()
    channel.send("now")
    assert inner.receive(WAIT) == "kept"
    channel.waitclose(WAIT)


def test_a_channel_that_go_has_made(gw):
    assert "was made by Go code" in error(gw.remote_exec("import gofuncs; gofuncs.made()"))
    assert "DumpError" in error(gw.remote_exec("import gofuncs; gofuncs.made()")).splitlines()[-1]


def test_what_was_sent_before_a_call_comes_first(gw):
    channel = gw.remote_exec("""
        import gofuncs
        for i in range(300):
            channel.send(i)
            gofuncs.peek(channel, 0) if i % 100 == 0 else None
            gofuncs.sleep(0)
        gofuncs.serve()
    """)
    channel.send("last")
    assert [channel.receive(WAIT) for _ in range(300)] == list(range(300))


def test_callbacks_are_refused(gw):
    text = error(gw.remote_exec("import gofuncs\ngofuncs.echo(1, [lambda: 1])"))
    assert text.splitlines()[-1].startswith("TypeError: gofuncs.echo() argument 2, [0]: <")
    text = error(gw.remote_exec("import gofuncs\ngofuncs.greet(lambda: 1)"))
    assert text.splitlines()[-1] == ("TypeError: gofuncs.greet() argument 1: a Go function cannot call back into Python; "
                                     "give it a channel instead")
    text = error(gw.remote_exec("import gofuncs\ngofuncs.greet('a', loud=object())"))
    assert 'gofuncs.greet() argument "loud": <' in text


def test_a_keyword_called_self(gw):
    assert "got an unexpected keyword argument 'self'" in error(
        gw.remote_exec("import gofuncs\ngofuncs.greet('a', self=1)"))


# ---- errors

def test_classes_of_errors(gw):
    channel = gw.remote_exec("""
        import gofuncs
        for name in channel:
            try:
                gofuncs.raise_(name, u"text")
            except BaseException as e:
                channel.send((type(e).__name__, str(e), type(e).__module__))
    """)
    def raised(name):
        channel.send(name)
        return channel.receive(WAIT)
    for name in ["ValueError", "TypeError", "OSError", "SystemExit", "KeyboardInterrupt", "StopIteration"]:
        assert raised(name)[1] == "text"
    assert raised("KeyError")[:2] == ("KeyError", "'text'" if gw.version > (3,) else "'text'")
    assert raised("FileNotFoundError")[0] == ("FileNotFoundError" if gw.version > (3,) else "OSError")
    assert raised("ModuleNotFoundError")[0] == ("ModuleNotFoundError" if gw.version > (3,) else "ImportError")
    assert raised("UnicodeDecodeError")[0] == "UnicodeError"
    assert raised("TimeoutError")[2] == ("builtins" if gw.version > (3,) else "exceptions")
    assert raised("my.Error") == ("RuntimeError", "my.Error: text", "builtins" if gw.version > (3,) else "exceptions")
    channel.close()


def test_errors_of_execnet(gw):
    channel = gw.remote_exec("""
        import gofuncs
        for f in gofuncs.timeout, gofuncs.eof:
            try:
                f()
            except Exception as e:
                channel.send((type(e).__name__, isinstance(e, channel.TimeoutError), str(e)))
    """)
    kind, timeout, _ = channel.receive(WAIT)
    assert kind == "TimeoutError" and timeout
    assert channel.receive(WAIT) == ("EOFError", False, "EOF")


def test_text_of_a_message(gw):
    assert run(gw, """
        import gofuncs
        try:
            gofuncs.fail(u"\\u20ac")
        except RuntimeError as e:
            s = str(e)
            channel.send(s if type(s) is type(u"") else s.decode("utf-8"))
    """) == u"\u20ac"


def test_the_traceback_ends_at_the_call(gw):
    text = error(gw.remote_exec("""
        import gofuncs
        def inner():
            gofuncs.fail("as told")
        inner()
    """))
    assert text == '''Traceback (most recent call last):
  File "<remote exec>", line 5, in <module>
    inner()
  File "<remote exec>", line 4, in inner
    gofuncs.fail("as told")
RuntimeError: as told
''' or gw.version >= (3, 11) and [line for line in text.splitlines() if line.strip(" ^~")] == [
        'Traceback (most recent call last):',
        '  File "<remote exec>", line 5, in <module>', '    inner()',
        '  File "<remote exec>", line 4, in inner', '    gofuncs.fail("as told")',
        'RuntimeError: as told']


def test_panics_tell_where(gw):
    text = error(gw.remote_exec("import gofuncs\ngofuncs.panic_('at the disco')"))
    assert "RuntimeError: panic in gofuncs.panic_: at the disco" in text
    assert "gofuncs.go:" in text
    assert run(gw, "import gofuncs; channel.send(gofuncs.count(u'still here'))") == 2


def test_a_result_that_panics_when_it_is_sent(gw):
    text = error(gw.remote_exec("import gofuncs\ngofuncs.panics(1)"))
    assert "RuntimeError: panic in gofuncs.panics: while it is sent" in text
    assert run(gw, "import gofuncs; channel.send(gofuncs.panics(0))") == []


def test_goexit(gw):
    assert "runtime.Goexit" in error(gw.remote_exec("import gofuncs\ngofuncs.goexit()"))
    assert run(gw, "import gofuncs; channel.send(gofuncs.count(u'still here'))") == 2


def test_the_end_of_the_own_channel_is_an_orderly_end(gw):
    channel = gw.remote_exec("import gofuncs\nchannel.send(1)\ngofuncs.receive_one()")
    assert channel.receive(WAIT) == 1
    channel.close()
    channel.waitclose(WAIT)
    other = gw.remote_exec("""
        import gofuncs
        inner = channel.receive()
        try:
            gofuncs.receive_one(inner)
        except EOFError as e:
            channel.send(getattr(e, "channelid", None) == channel.id)
    """)
    inner = gw.newchannel()
    other.send(inner)
    inner.close()
    assert other.receive(WAIT) is False


def test_an_error_of_the_channel_reaches_the_function(gw):
    channel = gw.remote_exec("""
        import gofuncs
        inner = channel.receive()
        try:
            gofuncs.listen(inner)
        except channel.RemoteError as e:
            channel.send(str(e))
    """)
    inner = gw.newchannel()
    channel.send(inner)
    inner.close("as told")
    assert channel.receive(WAIT) == "as told"


def test_a_channel_with_a_callback(gw):
    assert "callback" in error(gw.remote_exec("""
        import gofuncs
        inner = channel.gateway.newchannel()
        inner.setcallback(len)
        gofuncs.receive_one(inner)
    """)).splitlines()[-1]


# ---- receiving

def test_giving_up_receiving(gw):
    channel = gw.remote_exec("""
        import gofuncs
        channel.send(gofuncs.peek(channel, 0.05))
        channel.send(gofuncs.peek(channel, 5.0))
        channel.send(channel.receive())
        inner = channel.gateway.newchannel()
        channel.send([gofuncs.peek(inner, 0.01) for i in range(3)])
    """)
    assert channel.receive(WAIT) == "nothing"
    channel.send(1)
    channel.send(2)
    assert channel.receive(WAIT) == 1
    assert channel.receive(WAIT) == 2
    assert channel.receive(WAIT) == ["nothing"] * 3


def test_no_item_is_lost_when_receiving_is_given_up(gw):
    channel = gw.remote_exec("""
        import gofuncs
        got = []
        while len(got) < 300:
            item = gofuncs.peek(channel, 0.002)
            if item != "nothing":
                got.append(item)
            if len(got) % 3 == 0 and len(got) < 300:
                got.append(channel.receive())
        channel.send(got)
    """)
    for i in range(300):
        channel.send(i)
        if i % 10 == 0:
            time.sleep(0.01)
    assert channel.receive(WAIT) == list(range(300))


def test_two_channels_at_once(gw):
    channel = gw.remote_exec("""
        import gofuncs
        a, b = channel.receive(), channel.receive()
        channel.send(gofuncs.two_at_once(a, b))
    """)
    a, b = gw.newchannel(), gw.newchannel()
    channel.send(a)
    channel.send(b)
    time.sleep(0.1)
    a.send("item")
    try:
        b.send("item")
    except OSError:
        pass  # the function has returned, since only one of the two was received on
    got = sorted(channel.receive(WAIT))
    assert got in (["execnet: a Go function that Python has called receives on one channel at a time", "item"], ["item", "item"])


def test_a_function_that_leaves_a_goroutine_which_receives(gw):
    channel = gw.remote_exec("import gofuncs\ngofuncs.later()\nchannel.send(channel.receive())")
    time.sleep(0.3)
    channel.send(5)
    assert channel.receive(WAIT) == 5
