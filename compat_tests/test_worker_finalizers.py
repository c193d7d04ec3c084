"""Channels of the Python worker that are finalized: in any thread, at any moment."""
import pytest

from conftest import WAIT
from pythonworker import GREEN_PYTHON, PYTHONS

# In PyPy a channel that nobody uses is finalized later, whenever that collects garbage.
pytestmark = pytest.mark.cpython

MODELS = [(PYTHONS[0], "thread"), (PYTHONS[-1], "thread"), (GREEN_PYTHON, "gevent"), (GREEN_PYTHON, "eventlet")]


@pytest.fixture(params=MODELS, ids=lambda param: param[1])
def worker(request, start):
    python, execmodel = request.param
    return start(python, execmodel=execmodel)


# What runs in a thread of the system. It starts it before gevent or eventlet can replace anything.
THREAD = """
try: import thread
except ImportError: import _thread as thread
import gc, time
def in_thread(work, *args):
    boxes.append(list(args))
    thread.start_new_thread(work, (boxes[-1],))
boxes = []
"""


@pytest.mark.parametrize("idle", [True, False])
def test_a_channel_that_another_thread_drops_is_closed(worker, idle):
    channel = worker.run(THREAD + """
def work(box):
    box[0].send("last item")
    del box[0]
for _ in range(20):
    dropped = channel.gateway.newchannel()
    channel.send(dropped)
    channel.receive()
    in_thread(work, dropped)
    del dropped
    if not idle:
        channel.receive()
channel.receive()
""".replace("if not idle", "if %r" % (not idle)))
    for _ in range(20):
        dropped = channel.receive(WAIT)
        channel.send("go")
        if not idle:
            channel.send("busy")
        assert dropped.receive(WAIT) == "last item"
        dropped.waitclose(WAIT)
        assert dropped.isclosed()


def test_a_channel_in_garbage_that_another_thread_collects(worker):
    channel = worker.run(THREAD + """
gc.disable()
def work(box):
    while not gc.collect(): # the thread before this one may still be collecting
        time.sleep(0.01)
for _ in range(5):
    cycle = [channel.gateway.newchannel()]
    cycle.append(cycle)
    channel.send(cycle[0])
    del cycle
    in_thread(work)
    channel.receive()
""")
    for _ in range(5):
        dropped = channel.receive(WAIT)
        dropped.waitclose(WAIT)
        channel.send("next")
    channel.waitclose(WAIT)


@pytest.mark.parametrize("package", ["gevent", "eventlet"])
def test_what_replaces_threads_by_greenlets_does_not_concern_the_worker(start, package):
    """Source may do that, in a worker whose executions are threads."""
    worker = start(GREEN_PYTHON)
    patch = "from gevent import monkey; monkey.patch_all()" if package == "gevent" else \
        "import eventlet; eventlet.monkey_patch()"
    first = worker.run(patch + "\nchannel.send(1)\nchannel.receive()")
    assert first.receive(WAIT) == 1
    second = worker.run("""
dropped = channel.gateway.newchannel()
channel.send(dropped)
channel.gateway._poll = lambda *args: False  # as when the pipe is full
del dropped
channel.receive()
""")
    second.receive(WAIT).waitclose(WAIT)
    second.send(None)
    second.waitclose(WAIT)
    first.send(None)
    first.waitclose(WAIT)
    assert worker.stop() == 0
