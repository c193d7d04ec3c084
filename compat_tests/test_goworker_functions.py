"""Go functions of a worker program, called from Python source that pip's execnet sends."""
import threading
import time

import pytest

from conftest import WAIT, error


def result(gateway, expression):
    return gateway.remote_exec("import gofuncs\nchannel.send(%s)" % expression).receive(WAIT)


def test_calls(gofuncs):
    channel = gofuncs.remote_exec("""
        import gofuncs
        from gofuncs import count, add as plus
        for doc in channel:
            channel.send([gofuncs.count(doc), count(doc), plus(1, 2.5), gofuncs.add()])
    """)
    channel.send("three short words")
    assert channel.receive(WAIT) == [3, 3, 3.5, 0.0]
    channel.send("")
    assert channel.receive(WAIT) == [0, 0, 3.5, 0.0]
    channel.close()


def test_functions_of_another_name(gofuncs):
    channel = gofuncs.remote_exec("""
        import gofuncs.more.deep as deep, gofuncs.more
        from gofuncs.more.deep import upper
        from gofuncs import more
        import gofuncs
        channel.send([deep.upper("a"), upper("b"), gofuncs.more.deep.upper("c"), more.deep.upper("d")])
    """)
    assert channel.receive(WAIT) == ["A", "B", "C", "D"]


def test_a_remote_function_imports(gofuncs):
    def count(channel, doc):
        import gofuncs
        channel.send(gofuncs.count(doc))
    assert gofuncs.remote_exec(count, doc="a b").receive(WAIT) == 2


@pytest.mark.parametrize("call, greeting", [
    ("greet('you')", "hello you"),
    ("greet('you', greeting='welcome')", "welcome you"),
    ("greet('you', loud=True, greeting='hi')", "HI YOU"),
    ("greet('you', **{'loud': True})", "HELLO YOU"),
])
def test_keyword_arguments_fill_a_struct(popen_gw, call, greeting):
    assert result(popen_gw, "gofuncs." + call) == greeting


@pytest.mark.parametrize("call, kind", [
    ("greet('you', lod=True)", "TypeError"),
    ("greet('you', loud='very')", "TypeError"),
    ("greet()", "TypeError"),
    ("count(1)", "TypeError"),
    ("count('a', 'b')", "TypeError"),
    ("count(text='a')", "TypeError"),
    ("nothing", "AttributeError: module 'gofuncs' has no attribute 'nothing'"),
    ("echo(object())", "Error"),
])
def test_wrong_calls(popen_gw, call, kind):
    text = error(popen_gw.remote_exec("import gofuncs\ngofuncs." + call))
    assert '  File "<remote exec>", line 2, in <module>' in text.splitlines()
    assert kind in text.splitlines()[-1]
    if kind == "TypeError":
        assert call.split("(")[0] in text.splitlines()[-1]


def test_missing_modules_and_names(popen_gw):
    for source, last in [
        ("import gofunc", "ModuleNotFoundError: No module named 'gofunc'"),
        ("import gofuncs.none", "ModuleNotFoundError: No module named 'gofuncs.none'"),
        ("from gofuncs import none", "ImportError: cannot import name"),
    ]:
        assert "\n" + last in error(popen_gw.remote_exec(source))


def test_errors_are_exceptions(gofuncs):
    channel = gofuncs.remote_exec("""
        import gofuncs
        try:
            gofuncs.fail("no such word")
        except RuntimeError as e:
            channel.send(str(e))
        for name in ("ValueError", "KeyError", "OSError", "LookupError", "StopIteration"):
            try:
                gofuncs.raise_(name, "text")
            except Exception as e:
                channel.send([type(e).__name__, e.args])
        try:
            gofuncs.raise_("EOFError", "")
        except EOFError:
            channel.send("EOF")
        gofuncs.fail("at last")
    """)
    assert channel.receive(WAIT) == "no such word"
    for name in ("ValueError", "KeyError", "OSError", "LookupError", "StopIteration"):
        assert channel.receive(WAIT) == [name, ("text",)]
    assert channel.receive(WAIT) == "EOF"
    with pytest.raises(channel.RemoteError) as info:
        channel.receive(WAIT)
    lines = info.value.formatted.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert '  File "<remote exec>", line 16, in <module>' in lines
    assert lines[-1] == "RuntimeError: at last"


def test_iterators_are_lists(gofuncs):
    channel = gofuncs.remote_exec("""
        import gofuncs
        channel.send([word.upper() for word in gofuncs.words("a b")])
        channel.send(gofuncs.numbers(3))
        try:
            gofuncs.numbers(-1)
        except RuntimeError as e:
            channel.send(str(e))
    """)
    assert [channel.receive(WAIT) for _ in range(3)] == [["A", "B"], [0, 1, 2], "negative"]


def test_panics_are_exceptions(gofuncs):
    channel = gofuncs.remote_exec("""
        import gofuncs
        try:
            gofuncs.panic_("at the disco")
        except RuntimeError as e:
            channel.send(str(e))
        try:
            channel.send(gofuncs.panics(1))
        except Exception as e:
            channel.send(str(e))
        gofuncs.panic_("again")
    """)
    assert "at the disco" in channel.receive(WAIT)
    assert "while it is sent" in channel.receive(WAIT)
    with pytest.raises(channel.RemoteError) as info:
        channel.receive(WAIT)
    last = [line for line in info.value.formatted.splitlines() if not line.startswith(" ")][-1]
    assert last.startswith("RuntimeError: ") and "again" in last
    assert result(gofuncs, "gofuncs.count('still here')") == 2


def test_functions_with_the_channel(gofuncs):
    channel = gofuncs.remote_exec("import gofuncs; gofuncs.serve()")
    for value in [None, "x", {1: [2.5, b"3"]}]:
        channel.send(value)
        assert channel.receive(WAIT) == value
    channel.close()


def test_functions_with_a_channel_that_is_passed(gofuncs):
    channel = gofuncs.remote_exec("""
        import gofuncs
        inner = channel.gateway.newchannel()
        channel.send(inner)
        gofuncs.serve(inner)
        channel.send("served")
    """)
    inner = channel.receive(WAIT)
    inner.send(1)
    assert inner.receive(WAIT) == 1
    inner.close()
    assert channel.receive(WAIT) == "served"


def test_channels_as_values(gofuncs):
    channel = gofuncs.remote_exec("""
        import gofuncs
        inner = channel.receive()
        same = gofuncs.echo([inner])[0]
        same.send("through Go")
        channel.send(same is inner)
    """)
    inner = gofuncs.newchannel()
    channel.send(inner)
    assert inner.receive(WAIT) == "through Go"
    assert channel.receive(WAIT) is True


def test_results_of_every_type(gofuncs):
    assert result(gofuncs, "gofuncs.two()") == (1, "two")
    assert result(gofuncs, "gofuncs.sleep(0)") is None
    got = result(gofuncs, "gofuncs.results()")
    assert list(got.items()) == [
        ("none", None), ("bool", True), ("int", -7), ("uint64", 2**64 - 1), ("big", -2**100), ("float", 0.5),
        ("complex", 1 - 2j), ("str", u"\u20ac"), ("bytes", b"\0\xff"), ("list", [1, [2]]), ("tuple", (1, ())),
        ("dict", {(1, b"k"): None}), ("set", {1, "a"}), ("frozenset", frozenset([2.5])),
        ("map", {"k": [1]}), ("struct", {"greeting": "g", "loud": True}), ("duration", 1500000000),
    ]
    assert [type(v) for v in got.values()] == [
        type(None), bool, int, int, int, float, complex, str, bytes, list, tuple, dict, set, frozenset,
        dict, dict, int]


def test_a_function_is_an_object(popen_gw):
    channel = popen_gw.remote_exec("""
        import gofuncs
        f = gofuncs.count
        channel.send([f("a b"), list(map(f, ["", "a", "b c"])), callable(f), f is gofuncs.count])
        inner = channel.gateway.newchannel()
        inner.setcallback(gofuncs.count, endmarker="the end")
        channel.send(inner)
        channel.receive()
    """)
    assert channel.receive(WAIT) == [2, [0, 1, 2], True, True]
    channel.receive(WAIT).close()
    channel.send(None)
    channel.waitclose(WAIT)


def test_the_name_of_a_function(popen_gw):
    assert result(popen_gw, "gofuncs.count.__name__") == "count"


def test_what_functions_print_goes_nowhere(gofuncs):
    channel = gofuncs.remote_exec("import gofuncs; gofuncs.print_('noise' * 100); channel.send(1)")
    assert channel.receive(WAIT) == 1
    channel.waitclose(WAIT)


def test_functions_run_side_by_side(popen_gw):
    channels = [popen_gw.remote_exec("import gofuncs; channel.send(1); gofuncs.sleep(0.5); channel.send(2)")
                for _ in range(50)]
    begin = time.time()
    for channel in channels:
        assert list(channel) == [1, 2]
    assert time.time() - begin < 20, "one after the other they take 25 seconds"


def test_sources_run_on_while_a_function_waits(popen_gw):
    waiting = popen_gw.remote_exec("import gofuncs; channel.send(1); gofuncs.receive_one(); channel.send(2)")
    assert waiting.receive(WAIT) == 1
    assert result(popen_gw, "gofuncs.count('a')") == 1
    waiting.send(None)
    assert waiting.receive(WAIT) == 2


def test_functions_are_called_from_callbacks(popen_gw):
    done = threading.Event()
    got = []
    channel = popen_gw.remote_exec("""
        import gofuncs
        channel.setcallback(lambda doc: channel.send(gofuncs.count(doc)), endmarker="a b")
        channel.waitclose()
    """)
    channel.setcallback(lambda n: (got.append(n), done.set() if len(got) == 3 else None))
    for doc in ["", "a", "b c"]:
        channel.send(doc)
    assert done.wait(WAIT)
    assert got == [0, 1, 2]
    channel.close()
