"""Go workers that are killed, and drivers that are killed and must leave no process behind."""
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading
import time

import execnet
import pytest

from conftest import TRANSPORTS, WAIT, gone


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_killed_worker(transports, group, transport):
    gateway = transports.connect(transport, group)
    pid = gateway._rinfo().pid
    waiting = gateway.remote_exec("channel.send(1); channel.receive()")
    called, ended = gateway.remote_exec("channel.receive()"), threading.Event()
    called.setcallback(lambda item: ended.set(), endmarker=None)
    assert waiting.receive(WAIT) == 1
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EOFError):
        waiting.receive(WAIT)
    assert ended.wait(WAIT)
    if transport.startswith(("popen", "ssh")):
        with pytest.raises(EOFError):
            waiting.waitclose(WAIT)
        with pytest.raises(IOError):
            gateway.remote_exec("pass")
    masters = [other for other in group if other is not gateway]
    for master in masters:
        assert master.remote_exec("channel.send(1)").receive(WAIT) == 1
    gone(pid)


def test_a_killed_worker_in_the_middle_of_much(transports, group):
    gateway = transports.connect("popen", group)
    channel = gateway.remote_exec("for x in channel: channel.send(x * 100)")
    pid = gateway._rinfo().pid
    failed = []

    def feed():
        try:
            while True:
                channel.send(b"x" * 10000)
        except IOError as e:
            failed.append(e)
    feeder = threading.Thread(target=feed)
    feeder.start()
    for _ in range(3):
        assert len(channel.receive(WAIT)) == 1000000
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(EOFError):
        while True:
            channel.receive(WAIT)
    feeder.join(WAIT)
    assert len(failed) == 1
    assert gateway._io.popen.wait(WAIT) == -signal.SIGKILL


def test_an_interrupt_is_the_drivers(transports, group):
    """A terminal sends Ctrl-C to the worker too. It ignores it: the driver decides."""
    gateway = transports.connect("popen", group)
    channel = gateway.remote_exec("channel.send(1); channel.send(channel.receive())")
    assert channel.receive(WAIT) == 1
    for _ in range(3):
        os.kill(gateway._rinfo().pid, signal.SIGINT)
    channel.send("still there")
    assert channel.receive(WAIT) == "still there"
    channel.waitclose(WAIT)


def test_a_killed_forwarder(transports):
    group = execnet.Group()
    gateway = transports.connect("via_go", group)
    master = [other for other in group if other is not gateway][0]
    pids = [gateway._rinfo().pid, master._rinfo().pid]
    channel = gateway.remote_exec("channel.send(1); channel.receive()")
    assert channel.receive(WAIT) == 1
    os.kill(pids[1], signal.SIGKILL)
    with pytest.raises(EOFError):
        channel.receive(WAIT)
    gone(*pids)
    assert master._io.popen.wait(WAIT) == -signal.SIGKILL
    del group._gateways[:]  # execnet cannot terminate a gateway whose via is dead


def test_a_function_that_exits(transports, group):
    gateway = transports.connect("popen", group)
    channel = gateway.remote_exec("import gofuncs; gofuncs.exit(3)")
    with pytest.raises(EOFError):
        channel.receive(WAIT)
    assert gateway._io.popen.wait(WAIT) == 3


class Recorder:
    """Keeps the specs of the gateways that a group would be asked to make."""

    def __init__(self):
        self.specs = []

    def makegateway(self, spec):
        self.specs.append("%s//id=g%d" % (spec, len(self.specs)))
        return execnet.XSpec(self.specs[-1])


DRIVER = """
import sys, execnet
source, specs = sys.argv[1], sys.argv[2:]
group = execnet.Group()
gateways = [group.makegateway(spec) for spec in specs]
pids = [gateway._rinfo().pid for gateway in gateways]
channel = gateways[-1].remote_exec(source)
assert channel.receive(20) == "started"
print(" ".join(map(str, pids)))
sys.stdout.flush()
channel.waitclose()
"""


class Driver:
    """A driver in a process of its own that executes source in a worker. .pids are its workers'."""

    def __init__(self, transports, transport, source):
        recorder = Recorder()
        transports.connect(transport, recorder)
        self.process = subprocess.Popen([sys.executable, "-c", DRIVER, source] + recorder.specs,
                                        stdout=subprocess.PIPE)
        self.pids = [int(pid) for pid in self.process.stdout.readline().split()]
        assert len(self.pids) == len(recorder.specs)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.killed = time.time()
        return self


WAITING = "channel.send('started'); channel.receive()"
SENDING = "channel.send('started')\nwhile True: channel.send(b'x' * 10000)"
BUSY = "channel.send('started')\nwhile True: pass"
SLEEPING = "import time; channel.send('started')\nwhile True: time.sleep(0.01)"
STUCK = "import gofuncs; channel.send('started'); gofuncs.sleep(1000)"
ORPHANS = [(transport, source) for transport in TRANSPORTS for source in ("WAITING", "SENDING")] + [
    ("popen", "STUCK"), ("via_go", "STUCK"), ("installvia", "STUCK"), ("socketserver", "BUSY"), ("ssh", "SLEEPING")]


@pytest.fixture(scope="session", autouse=True)
def orphans(transports):
    """Workers whose driver was killed. Some need 15 seconds to end; other tests run meanwhile."""
    for transport in TRANSPORTS:
        transports.connect(transport, Recorder())  # starts its server, before there are threads
    with concurrent.futures.ThreadPoolExecutor(4) as several:
        drivers = several.map(lambda orphan: Driver(transports, orphan[0], globals()[orphan[1]]).kill(), ORPHANS)
        return dict(zip(ORPHANS, drivers))


def test_a_stopped_server_takes_its_workers_along(transports, group):
    server = transports.serve("socketserver", "127.0.0.1:0")
    gateway = group.makegateway("socket=127.0.0.1:%d" % server.port)
    channel = gateway.remote_exec("channel.send(1); channel.receive()")
    assert channel.receive(WAIT) == 1
    pid = gateway._rinfo().pid
    server.terminate()
    with pytest.raises(EOFError):
        channel.receive(WAIT)
    server.wait(WAIT)
    gone(pid)


def test_a_server_for_one_connection(transports, group):
    server = transports.serve("socketserver", "127.0.0.1:0", "--once")
    gateway = group.makegateway("socket=127.0.0.1:%d" % server.port)
    assert gateway.remote_exec("channel.send(1)").receive(WAIT) == 1
    group.terminate(timeout=WAIT)
    assert server.wait(WAIT) == 0


@pytest.mark.late
@pytest.mark.parametrize("transport, source", ORPHANS)
def test_a_killed_driver_leaves_no_process(orphans, transport, source):
    driver = orphans[transport, source]
    gone(*driver.pids, by=driver.killed + WAIT)
