"""Gateways to a Go worker with a CPython behind it, for the tests of the Go functions that it calls."""
import execnet
import pytest

from conftest import WAIT, started
from pythonworker import NEWEST, PYTHONS, label, version

PYTHONS_3 = [python for python in PYTHONS if version(python)[0] == 3]


def spec(pyworker, python, keys=""):
    return "popen//python=%s//env:EXECNET_ENGINE=cpython//env:EXECNET_PYTHON=%s%s" % (pyworker, python, keys)


@pytest.fixture(scope="module", params=PYTHONS_3, ids=label)
def popen_gw(request, pyworker):
    """Takes the place of the fixture that the tests of gpython use."""
    group = execnet.Group()
    yield from started(group, group.makegateway(spec(pyworker, request.param)))


@pytest.fixture(scope="module", params=PYTHONS, ids=label)
def gw(request, pyworker):
    """A gateway to a Go worker with each CPython behind it."""
    group = execnet.Group()
    gateway = group.makegateway(spec(pyworker, request.param))
    gateway.version = tuple(version(request.param))
    yield from started(group, gateway)


@pytest.fixture
def fresh(pyworker):
    """fresh() is a gateway that runs nothing else, with the newest CPython: what the test runs on it
    first is sure to run on the main thread, which alone gets signals."""
    group = execnet.Group()
    yield lambda python=NEWEST, keys="": group.makegateway(spec(pyworker, python, keys))
    group.terminate(timeout=WAIT)


def run(gateway, source):
    """What the source sends first."""
    return gateway.remote_exec(source).receive(WAIT)
