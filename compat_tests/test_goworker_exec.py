"""How a Go worker executes the sources that pip's execnet sends, and how executions end."""
import importlib.util
import os
import re
import textwrap
import threading

import execnet
import pytest
from execnet import gateway_base

from conftest import WAIT, error


def test_names(gw):
    channel = gw.remote_exec("channel.send([__name__, channel.gateway.id])")
    name, gateway = channel.receive(WAIT)
    assert name == "__channelexec__"
    assert gateway.endswith("-worker")
    if gw.spec.popen or gw.spec.ssh:  # over sockets execnet's id is the whole spec
        assert gateway == gw.id + "-worker"


def test_execmodel_of_the_gateway(gw):
    channel = gw.remote_exec("channel.send(channel.gateway.execmodel.backend)")
    assert channel.receive(WAIT) == "thread"


def test_executions_share_nothing(gw):
    gw.remote_exec("x = 1\nlen = None").waitclose(WAIT)
    channel = gw.remote_exec("""
        try:
            x
        except NameError:
            channel.send(len("abc"))
    """)
    assert channel.receive(WAIT) == 3


def test_only_the_end_of_its_own_channel_ends_quietly(gw):
    channel = gw.remote_exec("""
        inner = channel.receive()
        channel.gateway.newchannel()
        inner.receive()
    """)
    inner = gw.newchannel()
    channel.send(inner)
    inner.close()
    assert error(channel).endswith("\nEOFError\n")
    assert error(gw.remote_exec("raise EOFError('by hand')")).endswith("\nEOFError: by hand\n")
    assert error(gw.remote_exec("raise SystemExit(3)")).endswith("\nSystemExit: 3\n")
    channel = gw.remote_exec("channel.receive()")
    channel.gateway._send(gateway_base.Message.CHANNEL_LAST_MESSAGE, channel.id)
    channel.waitclose(WAIT)


def test_name_error(gw):
    text = error(gw.remote_exec("""
        def f():
            return foobar
        f()
    """))
    lines = text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert '  File "<remote exec>", line 4, in <module>' in lines
    assert '  File "<remote exec>", line 3, in f' in lines
    assert lines[-1] == "NameError: name 'foobar' is not defined"
    assert text.endswith("\n")


@pytest.mark.parametrize("source, last", [
    ("1 / 0", "ZeroDivisionError: "),
    ("raise ValueError('wrong')", "ValueError: wrong"),
    ("raise ValueError", "ValueError"),
    (u"raise RuntimeError('\\u20ac')", u"RuntimeError: \u20ac"),
    ("{}['key']", "KeyError: 'key'"),
    ("[][1]", "IndexError: list index out of range"),
    ("None.x", "AttributeError: 'NoneType' object has no attribute 'x'"),
    ("1 + 'a'", "TypeError: "),
    ("import sys; sys.exit()", "SystemExit"),
    ("import sys; sys.exit(0)", "SystemExit: 0"),
    ("raise SystemExit(1)", "SystemExit: 1"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("import sys; sys.exit('enough')", "SystemExit: enough"),
    ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ("assert 1 == 2, 'unequal'", "AssertionError: unequal"),
    ("class Mine(Exception): pass\nraise Mine('own')", "Mine: own"),
    ("channel.send(object())", "DumpError: "),
    ("channel.send(channel.send)", "DumpError: "),
    ("channel.send([{1: object()}])", "DumpError: "),
    ("channel.nothing", "AttributeError: 'Channel' object has no attribute 'nothing'"),
    ("channel.setcallback(1, 2, 3, 4)", "TypeError: "),
])
def test_exceptions(popen_gw, source, last):
    text = error(popen_gw.remote_exec(source))
    assert text.startswith("Traceback (most recent call last):\n") and text.endswith("\n")
    line = [line for line in text.splitlines()[1:] if not line.startswith(" ")][0]
    name = line.split(":")[0]
    if "." in name:  # __channelexec__.Mine, execnet.gateway_base.DumpError
        line = line[name.rindex(".") + 1:]
    assert line.startswith(last)


def test_keyboard_interrupt(popen_gw):
    assert error(popen_gw.remote_exec("raise KeyboardInterrupt")) == "keyboard-interrupted"


@pytest.mark.parametrize("source, line", [
    ("x = 1\n1 +\n", 2), ("def f(:\n  pass", 1), ("if True:\npass", 2), ("x = 'unclosed", 1),
])
def test_syntax_errors(popen_gw, source, line):
    text = error(popen_gw.remote_exec(source))
    lines = text.splitlines()
    if lines[-1].startswith("This is a Go worker: it runs gpython, which knows Python 3.4"):
        lines.pop()
    assert lines[-1].split(":")[0] in ("SyntaxError", "IndentationError")
    assert 'File "<remote exec>", line %d' % line in text


def test_items_arrive_before_the_error(gw):
    channel = gw.remote_exec("channel.send(1); channel.send(2); 1/0")
    assert [channel.receive(WAIT), channel.receive(WAIT)] == [1, 2]
    with pytest.raises(channel.RemoteError, match="ZeroDivisionError"):
        channel.receive(WAIT)
    with pytest.raises(EOFError):
        channel.receive(WAIT)


def test_exceptions_are_caught_there(gw):
    channel = gw.remote_exec("""
        def clean(what):
            try:
                what()
            except (ValueError, KeyError) as e:
                return type(e).__name__
            else:
                return "none"
            finally:
                channel.send("finally")
        channel.send(clean(lambda: {}["x"]))
        channel.send(clean(lambda: int("x")))
        channel.send(clean(lambda: 1))
    """)
    assert list(channel) == ["finally", "KeyError", "finally", "ValueError", "finally", "none"]


def function(channel, a, b=2, **more):
    channel.send([a, b, more, __name__])
    raise RuntimeError("here")


def test_functions_keep_their_file_and_lines(gw):
    channel = gw.remote_exec(function, a=[1], c=None)
    assert channel.receive(WAIT) == [[1], 2, {"c": None}, "__channelexec__"]
    with pytest.raises(channel.RemoteError) as info:
        channel.receive(WAIT)
    lines = info.value.formatted.splitlines()
    assert '  File "%s", line %d, in function' % (
        function.__code__.co_filename, function.__code__.co_firstlineno + 2) in lines
    assert lines[-1] == "RuntimeError: here"


def test_functions_without_arguments(gw):
    def inner(channel):
        for item in channel:
            channel.send(item)
    channel = gw.remote_exec(inner)
    channel.send("x")
    assert channel.receive(WAIT) == "x"
    channel.close()


def test_wrong_arguments(popen_gw):
    assert "TypeError: " in error(popen_gw.remote_exec(function))
    with pytest.raises(TypeError):
        popen_gw.remote_exec("channel.send(1)", a=1)


def module(folder, text):
    path = os.path.join(str(folder), "remote_module.py")
    with open(path, "w") as f:
        f.write(textwrap.dedent(text))
    spec = importlib.util.spec_from_file_location("remote_module", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def test_modules_keep_their_file(gw, tmp_path):
    loaded = module(tmp_path, '''\
        """A module."""
        def main(channel):
            channel.send("from a module")
            raise LookupError("lost")


        if __name__ == "__channelexec__":
            main(channel)
        ''')
    channel = gw.remote_exec(loaded)
    assert channel.receive(WAIT) == "from a module"
    lines = error(channel).splitlines()
    assert '  File "%s", line 8, in <module>' % loaded.__file__ in lines
    assert '  File "%s", line 4, in main' % loaded.__file__ in lines
    assert lines[-1] == "LookupError: lost"


def test_bytes_text_and_dicts_as_in_python(gw):
    """Operations on bytes, text and dicts that are common in remote functions."""
    channel = gw.remote_exec(u"""
        import sys
        raw, text, table, few = channel.receive()
        channel.send(raw.decode("utf-8") == text)
        channel.send(text.encode("utf-8") == raw)
        channel.send("{} and {:>3} {name!r}".format(len(raw), len(text), name=table["k"]))
        channel.send([raw[0], raw[-1], raw[1:3], raw[::-1], text[::-1]])
        channel.send([bool(raw), bool(""), bool(few), bool({}), bool(None), bool(frozenset())])
        channel.send(sorted(few))
        channel.send(frozenset([1, 2]) == few)
        channel.send([key for key in table])
        table[(1, 2)] = table.pop("k")
        table[None] = [v for k, v in table.items()]
        channel.send(table)
        channel.send(sys.version_info[0] == 3 and sys.version_info >= (3,))
        channel.send([raw.hex() if hasattr(raw, "hex") else None, "a,b".split(","), "%s-%d" % ("x", 3)])
    """)
    text = u"a\u00e9\u20ac"
    raw = text.encode("utf-8")
    channel.send((raw, text, {"k": "v", b"b": 1, (): 2}, frozenset([2, 1])))
    assert channel.receive(WAIT) is True
    assert channel.receive(WAIT) is True
    assert channel.receive(WAIT) == "6 and   3 'v'"
    assert channel.receive(WAIT) == [raw[0], raw[-1], raw[1:3], raw[::-1], text[::-1]]
    assert channel.receive(WAIT) == [True, False, True, False, False, False]
    assert channel.receive(WAIT) == [1, 2]
    assert channel.receive(WAIT) is True
    assert channel.receive(WAIT) == ["k", b"b", ()]
    got = channel.receive(WAIT)
    assert list(got.items()) == [(b"b", 1), ((), 2), ((1, 2), "v"), (None, [1, 2, "v"])]
    assert channel.receive(WAIT) is True
    assert channel.receive(WAIT)[1:] == [["a", "b"], "x-3"]


@pytest.mark.parametrize("source", [
    u"channel.send(u'\xe9\u20ac\U0001f600')", u"# -*- coding: utf-8 -*-\nchannel.send('\xe9\u20ac\U0001f600')",
    u"x = '''\xe9\u20ac'''\r\nif x:\r\n\tchannel.send(x + '\U0001f600')\r\n",
    u"\n\n\x0c\nchannel.send('\\xe9\\u20ac' + '\\U0001f600')  # \u20ac",
    u"if True:\n    channel.send(\n  '\xe9' \\\n '\u20ac'\n'\U0001f600')\n  # odd\n    pass\n",
    u"pass\n" * 20000 + u"channel.send('\xe9\u20ac\U0001f600')",
], ids=["plain", "cookie", "CRLF and tabs", "escapes", "continued", "long"])
def test_sources_of_every_look(popen_gw, source):
    channel = popen_gw.remote_exec(source)
    assert channel.receive(WAIT) == u"\xe9\u20ac\U0001f600"
    channel.waitclose(WAIT)


RECURSION = "RecursionError|RuntimeError: maximum recursion depth exceeded|DumpError|SyntaxError|ValueError"
EXCESSES = {
    "a function in itself": ("def f(): f()\nf()", RECURSION),
    "a lambda in itself": ("f = lambda: f()\nf()", RECURSION),
    "a generator in itself": ("def g():\n for x in g(): yield x\nlist(g())", RECURSION),
    "a running generator": ("def g():\n yield next(it)\nit = g()\nnext(it)", RECURSION),
    "a key function in itself": ("def k(x): return sorted([1, 2], key=k)\nk(1)", RECURSION),
    "repr": ("class A:\n def __repr__(self): return repr([self])\nrepr(A())", RECURSION),
    "format": ("class A:\n def __format__(self, s): return '{}'.format(self)\n'{}'.format(A())", RECURSION),
    "str of an exception": ("class E(Exception):\n def __str__(self): return str(self)\nraise E", "E(: |$)"),
    "equality": ("class A:\n def __eq__(self, o): return [self] == [o]\nA() == A()", RECURSION),
    "hash": ("class A:\n def __hash__(self): return hash((self,))\n{A(): 1}", RECURSION),
    "getattr": ("class A:\n def __getattr__(self, n): return getattr(self, n + 'x')\nA().y", RECURSION),
    "call": ("class A:\n def __call__(self): return self()\nA()()", RECURSION),
    "lists in themselves": ("a = []; a.append(a); b = []; b.append(b)\na == b", RECURSION),
    "dicts in themselves": ("a = {}; a[1] = a; b = {}; b[1] = b\na == b", RECURSION),
    "sending a list in itself": ("a = []; a.append(a); channel.send(a)", RECURSION),
    "sending a dict in itself": ("a = {}; a[1] = [a]; channel.send(a)", RECURSION),
    "repr of much": ("t = ()\nfor i in range(100000): t = (t,)\nrepr(t)", RECURSION),
    "equality of much": ("t = u = ()\nfor i in range(100000): t = (t,); u = (u,)\nt == u", RECURSION),
    "hash of much": ("t = ()\nfor i in range(300000): t = (t,)\nhash(t)", RECURSION),
    "sending much": ("t = ()\nfor i in range(100000): t = (t,)\nchannel.send(t)", RECURSION),
    "parentheses": ("x = " + "(" * 20000 + ")" * 20000, RECURSION),
    "signs": ("x = " + "-" * 50000 + "1", RECURSION),
    "sums": ("x = " + "1+" * 50000 + "1", RECURSION),
    "attributes": ("x = y" + ".real" * 50000, RECURSION),
    "branches": ("if 0: pass\n" + "elif 0: pass\n" * 20000, RECURSION),
    "a zero byte": ("x = 1\0", "ValueError|SyntaxError"),
    "str * int": ("'x' * 10**13", "MemoryError"), "bytes * int": ("b'x' * 10**13", "MemoryError"),
    "list * int": ("[0] * 10**13", "MemoryError"), "bytes(int)": ("bytes(10**13)", "MemoryError"),
    "1 << int": ("1 << 10**12", "MemoryError"), "int ** int": ("10 ** 10 ** 10", "MemoryError"),
    "ljust": ("'a'.ljust(10**13)", "MemoryError"), "zfill": ("'a'.zfill(10**13)", "MemoryError"),
    "width of format": ("'{:1000000000000}'.format(1)", "ValueError|MemoryError"),
    "width of %": ("'%1000000000000d' % 1", "ValueError|MemoryError"),
    "expandtabs": ("'\\t'.expandtabs(10**13)", "MemoryError|OverflowError"),
    "replace": ("('a' * 10**6).replace('a', 'b' * 10**8)", "MemoryError"),
    "join": ("('x' * 10**8).join([''] * 10**5)", "MemoryError"),
}


@pytest.mark.parametrize("name", list(EXCESSES))
def test_excesses_are_exceptions(abused, name):
    """Source that needs too much stack or memory gets an exception; the worker goes on."""
    source, last = EXCESSES[name]
    text = error(abused().remote_exec(source))
    assert re.search(last, [line for line in text.splitlines()[1:] if not line.startswith(" ")][-1])
    assert abused().remote_exec("channel.send(1)").receive(WAIT) == 1


@pytest.fixture(scope="module")
def abused(transports):
    """abused() is a gateway. It is a new one if the worker of the last one has died."""
    group = execnet.Group()

    def abused():
        if not len(group) or not group[0].hasreceiver():
            group.terminate(timeout=1)
            transports.connect("popen", group)
        return group[0]
    yield abused
    group.terminate(timeout=WAIT)


def test_many_executions_at_once(gw, settle):
    """All 64 run at the same time."""
    settle(gw)
    source = """
        n = channel.receive()
        channel.send(n)
        total = 0
        for x in channel:
            total += x
            channel.send(total)
    """
    channels = [gw.remote_exec(source) for _ in range(64)]
    for n, channel in enumerate(channels):
        channel.send(n)
    assert [channel.receive(WAIT) for channel in channels] == list(range(64))
    assert gw.remote_status().numexecuting == 64

    def feed(n, channel):
        for i in range(10):
            channel.send(n * i)
    feeders = [threading.Thread(target=feed, args=item) for item in enumerate(channels)]
    for feeder in feeders:
        feeder.start()
    for feeder in feeders:
        feeder.join(WAIT)
    for n, channel in enumerate(channels):
        assert [channel.receive(WAIT) for _ in range(10)] == [n * sum(range(i + 1)) for i in range(10)]
        channel.close()


def test_execution_models(transports, group):
    for model in ("gevent", "eventlet"):
        gateway = transports.connect("popen", group, "//execmodel=" + model)
        assert gateway.remote_status().execmodel == model
        first, second = [gateway.remote_exec("channel.send(channel.receive())") for _ in range(2)]
        second.send(2)
        assert second.receive(WAIT) == 2
        first.send(1)
        assert first.receive(WAIT) == 1


@pytest.mark.skipif(execnet.__version__ < "2.1", reason="execnet before 2.1 has no main_thread_only")
def test_main_thread_only(transports, group):
    gateway = transports.connect("popen", group, "//execmodel=main_thread_only")
    assert gateway.remote_status().execmodel == "main_thread_only"
    first = gateway.remote_exec("channel.send(1); channel.receive()")
    assert first.receive(WAIT) == 1
    second = gateway.remote_exec("channel.send(2)")
    assert error(second) == "concurrent remote_exec would cause deadlock for main_thread_only execmodel"
    first.send(None)
    first.waitclose(WAIT)
    for _ in range(20):  # one after the other is allowed, also after errors
        third = gateway.remote_exec("channel.send(3); 1/0")
        assert third.receive(WAIT) == 3
        assert "ZeroDivisionError" in error(third)
