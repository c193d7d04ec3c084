"""Which engine of a Go worker runs the source that pip's execnet sends."""
import re
import sys

import execnet
import pytest
from execnet import RemoteError

from conftest import WAIT

GLUE = "channel.send(len(channel.receive()))"
NEEDS_CPYTHON = "import decimal\nchannel.send(str(decimal.Decimal(5)))"


@pytest.fixture
def group():
    group = execnet.Group()
    yield group
    group.terminate(5)


@pytest.fixture
def connect(group, command, monkeypatch):
    """connect(options, keys, **variables) is a gateway to the command as a worker."""
    def connect(options="worker", keys="", **variables):
        monkeypatch.setenv("EXECNET_DEBUG", "2")
        monkeypatch.setenv("EXECNET_ENGINE", "")
        monkeypatch.setenv("EXECNET_PYTHON", "'%s'" % sys.executable)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return group.makegateway("popen//python=%s %s%s" % (command, options, keys))
    return connect


@pytest.fixture
def engine(capfd):
    """engine(gateway) is where the gateway runs a program that both engines do, as its trace says."""
    def engine(gateway):
        capfd.readouterr()
        channel = gateway.remote_exec(GLUE)
        channel.send("abc")
        assert channel.receive(WAIT) == 3
        return re.findall(r"runs in (\w+): ", capfd.readouterr().err)[-1].lower()
    return engine


def test_auto_reads_the_source(connect, engine):
    gateway = connect()
    assert [engine(gateway) for _ in range(3)] == ["gpython"] * 3
    assert gateway.remote_exec(NEEDS_CPYTHON).receive(WAIT) == "5"
    assert [engine(gateway) for _ in range(3)] == ["cpython"] * 3, "as all that follow"
    assert engine(connect()) == "gpython", "another gateway decides by itself"


def test_state_is_shared_by_what_follows(connect):
    gateway = connect()
    gateway.remote_exec("import sys\nsys.mark = 5").waitclose(WAIT)
    assert gateway.remote_exec("import sys\nchannel.send(sys.mark)").receive(WAIT) == 5


@pytest.mark.parametrize("how", [
    dict(options="--engine %s"), dict(options="worker --engine=%s"), dict(EXECNET_ENGINE="%s"),
    dict(keys="//env:EXECNET_ENGINE=%s"), dict(options="--engine %s", EXECNET_ENGINE="auto")])
@pytest.mark.parametrize("name", ["gpython", "cpython"])
def test_an_engine_is_chosen(connect, engine, how, name):
    how = {key: value.replace("%s", name) for key, value in how.items()}
    gateway = connect(**how)
    assert engine(gateway) == name
    if name == "gpython":
        with pytest.raises(RemoteError) as caught:
            gateway.remote_exec(NEEDS_CPYTHON).receive(WAIT)
        assert "No module named 'decimal'" in str(caught.value)
        assert "A CPython" not in str(caught.value), "it was not asked for"


def test_rinfo_and_status_are_those_of_where_programs_run(connect, settle):
    gateway = connect()
    assert tuple(gateway._rinfo().version_info[:2]) == sys.version_info[:2]
    assert gateway.remote_status().execmodel == "thread"
    gateway = connect(options="--engine gpython")
    assert tuple(gateway._rinfo().version_info[:2]) == (3, 4)
    settle(gateway)


def test_no_cpython(connect, engine, tmp_path):
    nowhere = dict(PATH=str(tmp_path), EXECNET_PYTHON="")
    gateway = connect(**nowhere)
    assert engine(gateway) == "gpython"
    with pytest.raises(RemoteError) as caught:
        gateway.remote_exec(NEEDS_CPYTHON).receive(WAIT)
    last = str(caught.value).strip().splitlines()[-1]
    assert last.startswith("A CPython would have run it, because of import decimal in line 1")
    for what in "install Python", "EXECNET_PYTHON", "--python", "execnet/embedded":
        assert what in last
    gateway = connect(options="--engine cpython", **nowhere)
    with pytest.raises(RemoteError) as caught:
        gateway.remote_exec("channel.send(1)").receive(WAIT)
    assert "CPython (--engine cpython), and there is none: no python3 or python is on PATH" in str(caught.value)


@pytest.mark.parametrize("options, variable, says", [
    ("--engine fast", "", "--engine fast: there is no such engine; it is one of auto, gpython, cpython"),
    ("worker", "CPython", "EXECNET_ENGINE=CPython: there is no such engine"),
    ("--python", "", "--python needs a value")])
def test_wrong_settings_end_the_worker(connect, capfd, options, variable, says):
    with pytest.raises((EOFError, OSError)):
        connect(options=options, EXECNET_ENGINE=variable).remote_exec("pass").waitclose(WAIT)
    assert says in capfd.readouterr().err


def test_the_python_is_chosen(connect, tmp_path):
    python = tmp_path / "my python"
    python.symlink_to(sys.executable)
    where = "import sys\nchannel.send(sys.executable)"
    gateway = connect(options="--python %s" % sys.executable, EXECNET_PYTHON="no-such-python")
    assert gateway.remote_exec(where).receive(WAIT) == sys.executable
    gateway = connect(EXECNET_PYTHON="'%s'" % python)
    assert gateway.remote_exec(where).receive(WAIT) == str(python)
    gateway = connect(EXECNET_PYTHON="no-such-python")
    with pytest.raises(RemoteError) as caught:
        gateway.remote_exec(where).receive(WAIT)
    assert "no-such-python" in str(caught.value) and "EXECNET_PYTHON" in str(caught.value)
