"""pip's driver and a CPython behind a Go worker, over every transport and with every CPython."""
import os
import signal
import subprocess
import sys
import threading
import time

import execnet
import pytest

from conftest import TRANSPORTS, WAIT, Transports, gone
from pythonworker import GREEN_PYTHON, PYTHONS, label

BOTH = "import os; channel.send((os.getpid(), os.getppid()))\n"


@pytest.fixture(scope="module")
def behind(tmp_path_factory, build, command):
    """Transports to Go workers with a CPython behind them."""
    before = os.environ.get("EXECNET_ENGINE")
    os.environ["EXECNET_ENGINE"] = "cpython"
    textstats = build("./examples/textstats")
    transports = Transports(str(tmp_path_factory.mktemp("behind")), textstats, command)
    yield transports
    transports.close()
    if before is None:
        del os.environ["EXECNET_ENGINE"]
    else:
        os.environ["EXECNET_ENGINE"] = before


def connect(behind, group, transport, python=None, keys=""):
    """A gateway. Over ssh the environment has to be set there."""
    if python:
        keys += "//env:EXECNET_PYTHON=" + python
    return behind.connect(transport, group, "//env:EXECNET_ENGINE=cpython" + keys)


def check_channels(gateway):
    """What a driver does with channels."""
    channel = gateway.remote_exec("""
import sys
for x in channel:
    if x is None: break
    channel.send(x)
made = channel.gateway.newchannel()
channel.send(made)
given = channel.receive()
file = given.makefile("w")
file.write(made.receive())
made.setcallback(given.send, endmarker="the end")
channel.receive()
""")
    for item in (1, "é", [{"a": (1.5, None)}], "x" * 1000000):
        channel.send(item)
        assert channel.receive(WAIT) == item
    channel.send(b"x" * 1000000)
    assert len(channel.receive(WAIT)) == 1000000  # str where a Python 2 is behind
    channel.send(None)
    made, given = channel.receive(WAIT), gateway.newchannel()
    channel.send(given)
    made.send("through a file")
    assert given.receive(WAIT) == "through a file"
    made.send(5)
    assert given.receive(WAIT) == 5
    made.close()
    assert given.receive(WAIT) == "the end"
    channel.send(None)
    channel.waitclose(WAIT)
    failing = gateway.remote_exec("def f(x):\n    return 1 / x\nf(0)")
    with pytest.raises(execnet.RemoteError) as info:
        failing.waitclose(WAIT)
    text = str(info.value)
    assert 'File "<remote exec>", line 3, in <module>' in text and "ZeroDivisionError" in text
    with pytest.raises(execnet.RemoteError, match="SystemExit: 0"):  # as in execnet's own worker
        gateway.remote_exec("raise SystemExit(0)").waitclose(WAIT)
    gateway.remote_exec("print('disturbs nothing')").waitclose(WAIT)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_over_every_transport(behind, transport, tmp_path):
    group = execnet.Group()
    gateway = connect(behind, group, transport)
    cpython, worker = gateway.remote_exec(BOTH).receive(WAIT)
    check_channels(gateway)
    kept = gateway.remote_exec("import sys; sys.kept = 5; channel.send(1); channel.receive()")
    assert kept.receive(WAIT) == 1
    second = gateway.remote_exec("import sys; channel.send(sys.kept)")
    assert second.receive(WAIT) == 5
    second.waitclose(WAIT)
    end = time.time() + WAIT
    while True:  # channels that are dropped are closed soon
        status = gateway.remote_status()
        if (status.numexecuting, status.numchannels) == (1, 1):
            break
        assert time.time() < end, status
    assert gateway._rinfo().pid == cpython
    kept.send(None)
    kept.waitclose(WAIT)
    source, dest = tmp_path / "source", tmp_path / "dest"
    (source / "folder").mkdir(parents=True)
    (source / "folder" / "file").write_bytes(b"content" * 100000)
    sync = execnet.RSync(str(source), verbose=False)
    sync.add_target(gateway, str(dest))
    sync.send()
    assert (dest / "folder" / "file").read_bytes() == b"content" * 100000
    # A death of CPython is no death of the gateway.
    dying = gateway.remote_exec("for i in range(100): channel.send(i)\nimport os; os._exit(3)")
    assert [dying.receive(WAIT) for i in range(100)] == list(range(100))
    with pytest.raises(execnet.RemoteError, match=r"died \(exit status 3\)"):
        dying.receive(WAIT)
    gone(cpython)
    another, same = gateway.remote_exec(BOTH).receive(WAIT)
    assert same == worker
    group.terminate(timeout=WAIT)
    gone(another, worker)


@pytest.mark.parametrize("python", PYTHONS, ids=label)
def test_every_python(behind, group, python):
    gateway = connect(behind, group, "popen", python)
    check_channels(gateway)
    gateway.reconfigure(py2str_as_py3str=False)
    kind = gateway.remote_exec("channel.send(str('a'))").receive(WAIT)
    assert kind == (b"a" if "/2.7" in python else "a")


@pytest.mark.parametrize("model", ["thread", "main_thread_only", "gevent", "eventlet"])
def test_execmodels(behind, group, model):
    gateway = connect(behind, group, "popen", GREEN_PYTHON, "//execmodel=" + model)
    channel = gateway.remote_exec("""
import threading
main = threading.current_thread() is threading.main_thread()
channel.send((channel.gateway.execmodel.backend, main))
channel.receive()
""")
    assert channel.receive(WAIT) == (model, True)
    if model == "main_thread_only":
        with pytest.raises(execnet.RemoteError, match="deadlock for main_thread_only"):
            gateway.remote_exec("pass").waitclose(WAIT)
    assert gateway.remote_status().execmodel == model
    channel.send(None)
    channel.waitclose(WAIT)


def test_interrupts(behind, group):
    """SIGINT reaches CPython's main thread, as Ctrl-C at a terminal does. The Go worker ignores it."""
    gateway = connect(behind, group, "popen")
    channel = gateway.remote_exec(BOTH + "import time\ntry:\n    channel.send(1); time.sleep(100)\n"
                                  "except KeyboardInterrupt:\n    channel.send('interrupted'); raise")
    cpython, worker = channel.receive(WAIT)
    assert channel.receive(WAIT) == 1
    os.kill(worker, signal.SIGINT)
    os.kill(cpython, signal.SIGINT)
    assert channel.receive(WAIT) == "interrupted"
    with pytest.raises(execnet.RemoteError, match="keyboard-interrupted"):
        channel.waitclose(WAIT)
    assert gateway.remote_exec(BOTH).receive(WAIT) == (cpython, worker)


def test_stderr_and_debug(behind, tmp_path):
    """Its stderr is the Go worker's. EXECNET_DEBUG makes it write a trace, too."""
    code = """
import sys, execnet
gateway = execnet.makegateway("popen//python=" + sys.argv[1])
channel = gateway.remote_exec("import os, sys; sys.stderr.write('said there\\\\n'); channel.send(os.getpid())")
print(channel.receive(20))
channel.waitclose(20)
execnet.default_group.terminate(20)
"""
    done = subprocess.run([sys.executable, "-c", code, behind.goworker], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, EXECNET_DEBUG="2"), timeout=60, universal_newlines=True)
    assert done.returncode == 0, done.stderr
    assert "said there\n" in done.stderr
    assert "[%s] gw0-worker execution starts[1]" % done.stdout.strip() in done.stderr


def test_full_pipes(behind, group):
    """Echoes of 64 MiB each way, of which nothing is received before all is sent, and calls of Go
    functions meanwhile. The driver's callbacks answer, too."""
    gateway = connect(behind, group, "popen")
    echoes = [gateway.remote_exec("for x in channel: channel.send(x)") for i in range(8)]
    called, answers = gateway.remote_exec("""
import textstats
for x in channel: channel.send(textstats.count(x))
"""), []
    ponged, done = gateway.remote_exec("""
def pong(x):
    if x is not None: channel.send(x)
channel.setcallback(pong)
channel.waitclose()
"""), threading.Event()
    ponged.setcallback(lambda item: answers.append(item) or len(answers) == 50 and done.set())
    failures = []

    def feed(channel, size):
        try:
            for i in range(128):
                channel.send(b"%d " % i + b"x" * size)
        except Exception as e:
            failures.append(e)
    threads = [threading.Thread(target=feed, args=(channel, 65536)) for channel in echoes]
    for thread in threads:
        thread.start()
    for i in range(50):
        called.send("the %d dogs" % i)
        assert called.receive(WAIT)["the"] == 1
        ponged.send(b"x" * 65536)
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not failures
    for channel in echoes:
        for i in range(128):
            assert channel.receive(WAIT).split(b" ")[0] == b"%d" % i
    assert done.wait(WAIT)
