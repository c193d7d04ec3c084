"""The Go functions of a worker program as modules of the CPython behind it: imports, what they tell of
themselves, pickles.
"""
import re

from conftest import error
from cpythonworker import fresh, gw, popen_gw, run
from pythonworker import NEWEST


def test_forms_of_import(gw):
    assert run(gw, """
        import gofuncs, gofuncs.more, gofuncs.more.deep
        import gofuncs.more.deep as deep
        from gofuncs.more.deep import upper
        from gofuncs import more, add
        assert gofuncs.more is more and more.deep is deep and deep.upper is upper
        assert __import__("gofuncs.more.deep") is gofuncs
        channel.send([upper(u"a"), add(1, 2.5)])
    """) == ["A", 3.5]


def test_star_import_gives_the_functions(gw):
    assert run(gw, """
        names = {}
        exec("from gofuncs.more.deep import *", names)
        channel.send(sorted(name for name in names if name[0] != "_"))
    """) == ["upper"]


def test_modules_say_what_they_are(gw):
    file, loader, doc, path = run(gw, """
        import sys, gofuncs, gofuncs.more.deep
        assert sys.modules["gofuncs.more.deep"] is gofuncs.more.deep
        channel.send((hasattr(gofuncs, "__file__"), type(gofuncs.__loader__).__name__, gofuncs.__doc__,
                      [list(gofuncs.__path__), hasattr(gofuncs.more.deep, "__path__")]))
    """)
    assert not file and loader == "GoFunctions" and "Go functions" in doc
    assert path == [[], False]


def test_find_spec(popen_gw):
    assert run(popen_gw, """
        import importlib.util
        spec = importlib.util.find_spec("gofuncs.more.deep")
        import gofuncs
        channel.send((spec.name, spec.origin, spec.parent, importlib.util.find_spec("gofuncs.none"),
                      gofuncs.__spec__.name, repr(gofuncs)))
    """) == ("gofuncs.more.deep", "Go", "gofuncs.more", None, "gofuncs", "<module 'gofuncs' (Go)>")


def test_reload(gw):
    assert run(gw, """
        import gofuncs
        try:
            from importlib import reload
        except ImportError:
            pass
        gofuncs.mine = 1
        del gofuncs.count
        assert reload(gofuncs) is gofuncs
        channel.send((gofuncs.mine, gofuncs.count(u"a b")))
    """) == (1, 2)


def test_registered_names_come_before_files(gw, tmp_path):
    (tmp_path / "gofuncs.py").write_text("raise RuntimeError('the file')")
    (tmp_path / "gofuncs_other.py").write_text("here = 1")
    assert run(gw, """
        import sys
        before = dict((name, sys.modules.pop(name)) for name in list(sys.modules) if name.startswith("gofuncs"))
        sys.path.insert(0, %r)
        try:
            import gofuncs, gofuncs_other
            channel.send((gofuncs.count(u"a"), gofuncs_other.here))
        finally:
            del sys.path[0]
            sys.modules.update(before)
    """ % str(tmp_path)) == (1, 1)


def test_pickles_are_references(gw):
    assert run(gw, """
        import copy, pickle, gofuncs.more.deep
        f = gofuncs.more.deep.upper
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            assert pickle.loads(pickle.dumps(f, protocol)) is f
        assert copy.deepcopy([f])[0] is f
        channel.send(len(pickle.dumps(f)) < 100)
    """)


def test_functions_are_not_bound(gw):
    assert run(gw, """
        import gofuncs
        class Counter(object):
            count = gofuncs.count
        channel.send([Counter().count(u"a b"), repr(gofuncs.count), gofuncs.count.__module__])
    """) == [2, "<Go function gofuncs.count>", "gofuncs"]


def test_signatures(popen_gw):
    got = run(popen_gw, """
        import inspect, gofuncs, sys
        names = "count add greet two fail receive_one echo zeros made words".split()
        channel.send((sys.version_info >= (3, 8), dict((name, str(inspect.signature(getattr(gofuncs, name)))) for name in names)))
    """)
    only = ", /" if got[0] else ""
    # Python 3.6 puts no space behind the colon.
    got[1].update((name, re.sub(r":(?! )", ": ", text)) for name, text in got[1].items())
    assert got[1] == {
        "count": "(arg1: str%s) -> int" % only,
        "add": "(*args: float) -> float",
        "greet": "(arg1: str%s, *, greeting=Ellipsis, loud=Ellipsis) -> str" % only,
        "two": "() -> tuple",
        "fail": "(arg1: str%s) -> None" % only,
        "receive_one": "() -> None",
        "echo": "(arg1%s)" % only,
        "zeros": "(arg1: int%s) -> bytes" % only,
        "made": "() -> 'Channel'",
        "words": "(arg1: str%s) -> list" % only,
    }


def test_help(gw):
    module, function = run(gw, """
        import pydoc, gofuncs
        channel.send((pydoc.plain(pydoc.render_doc(gofuncs)), pydoc.plain(pydoc.render_doc(gofuncs.greet))))
    """)
    assert "Go functions of this worker." in module and "FUNCTIONS" in module
    for name in ["count", "greet", "serve"]:
        assert "\n    %s(" % name in module
    assert "The Go function github.com/go-execnet/execnet/compat_tests/gofuncs.greet: " in function
    assert "func(string, gofuncs.manner) string" in function
    if gw.version > (3, 7):
        assert "greet(arg1: str, /, *, greeting=Ellipsis, loud=Ellipsis) -> str" in function


def test_a_wrapper_that_closes_the_descriptors(fresh, tmp_path):
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nexec %s \"$@\" 3<&- 4>&-\n" % NEWEST)
    script.chmod(0o700)
    gateway = fresh(str(script))
    text = error(gateway.remote_exec("import gofuncs"))
    assert "ImportError: the Go functions of gofuncs cannot be called: " in text
    assert run(gateway, "channel.send(1)") == 1
    # Other files with the same numbers are not taken for the pipes.
    script.write_text("#!/bin/sh\nexec %s \"$@\" 3</dev/null 4>/dev/null\n" % NEWEST)
    assert "ImportError: the Go functions" in error(fresh(str(script)).remote_exec("import gofuncs"))
