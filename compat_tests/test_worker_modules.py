"""The module of each execution in the Python worker, on every CPython found."""

import pytest

from conftest import WAIT, error
from pythonworker import NEWEST, PYTHONS, label


@pytest.fixture(params=PYTHONS, ids=label)
def python(request):
    return request.param


def test_the_module_is_the_source(worker):
    channel = worker.run("""
        import inspect, pickle, sys
        from collections import namedtuple
        class Mine(object):
            def __init__(self, n): self.n = n
        Pair = namedtuple("Pair", "a b")
        def double(n): return 2 * n
        module = sys.modules[__name__]
        channel.send((__name__, module.__name__, module.Mine is Mine, module.__dict__ is globals(), vars(module) is globals()))
        module.new = 5
        channel.send((new, hasattr(module, "none"), "Mine" in dir(module)))
        del module.new
        channel.send(("new" in globals(), inspect.getmodule(Mine) is module))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            if protocol > 1:
                assert pickle.loads(pickle.dumps(Pair(1, 2), protocol)) == Pair(1, 2)
            assert pickle.loads(pickle.dumps(Mine(3), protocol)).n == 3
            assert pickle.loads(pickle.dumps(double, protocol)) is double
        from __channelexec__ import Mine as again
        channel.send(again is Mine)
    """)
    assert channel.receive(WAIT) == ("__channelexec__", "__channelexec__", True, True, True)
    assert channel.receive(WAIT) == (5, False, True)
    assert channel.receive(WAIT) == (False, True)
    assert channel.receive(WAIT) is True
    channel.waitclose(WAIT)


def test_annotations_and_enums(start, python):
    worker = start(python)
    version = tuple(worker.run("import sys; channel.send(tuple(sys.version_info[:2]))").receive(WAIT))
    if version < (3, 7):  # there is no such thing yet
        assert "SyntaxError" in error(worker.run("from __future__ import annotations"))
        return
    channel = worker.run("""
        from __future__ import annotations
        import dataclasses, enum, pickle, typing
        class Color(enum.Enum):
            RED = 1
        Size = enum.Enum("Size", "SMALL BIG")
        @dataclasses.dataclass
        class Node:
            value: int
            color: Color = Color.RED
            left: typing.Optional[Node] = None
            count: typing.ClassVar[int] = 0
        class Pair(typing.NamedTuple):
            a: int
            b: Node
        def f(node: Node) -> Pair: pass
        hints = typing.get_type_hints(Node)
        channel.send((hints["left"] == typing.Optional[Node], hints["color"] is Color, len(dataclasses.fields(Node))))
        channel.send((typing.get_type_hints(f) == {"node": Node, "return": Pair}, typing.get_type_hints(Pair)["b"] is Node))
        node = Node(1, left=Node(2))
        channel.send([pickle.loads(pickle.dumps(x)) == x for x in (node, Color.RED, Size.BIG, Pair(1, node))])
    """)
    assert channel.receive(WAIT) == (True, True, 3)
    assert channel.receive(WAIT) == (True, True)
    assert channel.receive(WAIT) == [True] * 4
    channel.waitclose(WAIT)
    assert worker.stop() == 0


def test_each_execution_has_its_own_names(worker):
    """Several at once, in the main thread and in others; also in callbacks and threads of theirs."""
    source = """
        import pickle, sys, threading
        class Mine(object): number = %d
        def check(item=None):
            module = sys.modules[__name__]
            assert pickle.loads(pickle.dumps(Mine())).number == %d
            channel.send((module.Mine.number, hasattr(module, "only%d"), hasattr(module, "only1")))
        only%d = True
        channel.receive()
        check()
        thread = threading.Thread(target=check)
        thread.start(); thread.join()
        other = channel.gateway.newchannel()
        other.setcallback(check)
        channel.send(other)
        channel.receive()
    """
    channels = [worker.run(source % (n, n, n, n)) for n in (1, 2, 3)]
    for channel in channels:
        channel.send(None)
    for n, channel in enumerate(channels, 1):
        want = (n, True, n == 1)
        assert channel.receive(WAIT) == want
        assert channel.receive(WAIT) == want
        other = channel.receive(WAIT)
        other.send(1)
        assert channel.receive(WAIT) == want
    for channel in channels:
        channel.send(None)
        channel.waitclose(WAIT)


def test_the_names_are_released(worker):
    for text in ("", "import pickle; pickle.loads(pickle.dumps(Mine()))", "raise KeyError"):
        first = worker.run("""
            import sys, weakref
            class Mine(object): pass
            mine = Mine()
            sys.of_first = weakref.ref(mine)
            sys.modules[__name__].mine
            %s
        """ % text)
        if "raise" in text:
            error(first)
        else:
            first.waitclose(WAIT)
        # The close comes a little before the end of the execution's frames.
        assert worker.run("""
            import gc, sys, time
            end = time.time() + 10
            while sys.of_first() is not None and time.time() < end:
                gc.collect()
                time.sleep(0.01)
            channel.send(sys.of_first() is None)
        """).receive(WAIT) is True


def test_pools_of_forked_processes_find_the_source(start, python):
    worker = start(python)
    channel = worker.run("""
        import multiprocessing
        class Mine(object):
            def __init__(self, n): self.n = n
        def double(mine): return Mine(2 * mine.n)
        context = multiprocessing.get_context("fork") if hasattr(multiprocessing, "get_context") else multiprocessing
        pool = context.Pool(2)
        channel.send([mine.n for mine in pool.map(double, [Mine(1), Mine(2)])])
        pool.close(); pool.join()
    """)
    assert channel.receive(WAIT) == [2, 4]
    channel.waitclose(WAIT)
    assert worker.stop() == 0


@pytest.mark.cpython
@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_spawned_processes_cannot_have_it(start, python, method):
    """What would be sent to them fails here and at once, as without such a module."""
    worker = start(python)
    if worker.run("import sys; channel.send(sys.version_info[0])").receive(WAIT) == 2:
        assert "AttributeError" in error(worker.run("import multiprocessing; multiprocessing.get_context"))
        return
    channel = worker.run("""
        import concurrent.futures, multiprocessing, sys
        def double(n): return 2 * n
        class Mine: pass
        context = multiprocessing.get_context(%r)
        def fails(call, *args):
            try: call(*args)
            except Exception as e: channel.send("pickle" in str(e).lower())
            else: channel.send("no error")
        fails(context.Process(target=double, args=(1,)).start)
        with context.Pool(2) as pool:
            fails(pool.map, double, [1])
            fails(pool.apply, len, ([Mine()],))
            channel.send(pool.map(abs, [-1]))
        if sys.version_info >= (3, 7):
            with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
                fails(executor.submit(double, 1).result, 20)
        else:
            channel.send(True)
    """ % method)
    assert [channel.receive(WAIT) for _ in range(5)] == [True, True, True, [1], True]
    channel.waitclose(WAIT)
    assert worker.stop() == 0


def test_cloudpickle_pickles_by_value(start, tmp_path):
    """A module of that name that does what cloudpickle does to find out how."""
    (tmp_path / "cloudpickle.py").write_text(
        "import sys\n"
        "def by_reference(obj):\n"
        "    return getattr(sys.modules.get(obj.__module__), obj.__name__, None) is obj\n")
    worker = start(NEWEST, setup={"chdir": str(tmp_path)})
    channel = worker.run("""
        import cloudpickle, sys
        class Mine: pass
        channel.send((cloudpickle.by_reference(Mine), sys.modules[__name__].Mine is Mine))
    """)
    assert channel.receive(WAIT) == (False, True)
