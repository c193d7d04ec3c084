"""How the Python worker starts, what it offers to other programs, and how it ends."""
import os
import signal
import struct
import subprocess
import sys
import time

import execnet
import pytest
from execnet import gateway_base

from conftest import WAIT, error
from pythonworker import FIRST_LINE, NEWEST, PYTHONS, Worker, source


def test_setup(start, tmp_path):
    path = tmp_path / "a" / "b"
    worker = start(NEWEST, setup={"chdir": str(path), "nice": 3, "env": {"X_Y": "z"}})
    channel = worker.run("import os; channel.send((os.getcwd(), os.environ['X_Y'], os.nice(0)))")
    assert channel.receive(WAIT) == (str(path), "z", os.nice(0) + 3)


@pytest.mark.parametrize("setup,said", [({"chdir": "/dev/null/x"}, "cannot set up"), ({"nice": "x"}, "cannot set up")])
def test_setup_that_fails(setup, said):
    worker = Worker(NEWEST, setup=setup, stderr=subprocess.PIPE)
    out, err = worker.popen.communicate(timeout=WAIT)
    assert (out, worker.popen.returncode) == (b"", 1)
    assert said in err.decode().splitlines()[0] and b"Traceback" in err


def test_what_forwarding_and_rsync_expect(start, tmp_path):
    worker = start(NEWEST)
    channel = worker.run("from __main__ import Message, Popen2IO; channel.send(Message.CHANNEL_DATA)")
    assert channel.receive(WAIT) == 4
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "f").write_bytes(b"data")
    rsync = execnet.RSync(str(tmp_path / "src"), verbose=False)
    rsync.add_target(worker.gw, str(tmp_path / "dst"))
    rsync.send()
    assert (tmp_path / "dst" / "f").read_bytes() == b"data"


def test_pip_gateways_through_us(start):
    worker = start(NEWEST)
    group = worker.gw._group
    via = group.makegateway("popen//via=gw0//id=sub")
    channel = via.remote_exec("channel.send(channel.receive() + 1)")
    channel.send(1)
    assert channel.receive(WAIT) == 2
    channel.waitclose(WAIT)
    via.exit()
    if execnet.__version__.startswith("1."):
        return  # its socket server works only with its own execmodel object
    sock = group.makegateway("socket//installvia=gw0//id=sock")
    channel = sock.remote_exec("for x in channel: channel.send(x * 2)")
    channel.send(21)
    assert channel.receive(WAIT) == 42
    sock.exit()


def test_serving_a_socket(start):
    import socket
    server = socket.socket()
    server.bind(("localhost", 0))
    server.listen(1)
    call = ("import socket\nserve_socket(socket.create_connection(('localhost', %d)), 's-worker')"
            % server.getsockname()[1])
    p = subprocess.Popen([NEWEST, "-c", FIRST_LINE], stdin=subprocess.PIPE)
    p.stdin.write((ascii(source(call)) + "\n").encode())
    p.stdin.flush()
    conn, _ = server.accept()
    with conn, conn.makefile("rwb") as f:
        assert f.read(1) == b"1"
        task = gateway_base.dumps_internal(("for x in channel: channel.send(x)", None, None, {}))
        f.write(struct.pack("!bii", 3, 1, len(task)) + task)
        for item in (b"a", 5, b"x" * 1000000):
            data = gateway_base.dumps_internal(item)
            f.write(struct.pack("!bii", 4, 1, len(data)) + data)
            f.flush()
            assert struct.unpack("!bii", f.read(9)) == (4, 1, len(data))
            assert f.read(len(data)) == data
        conn.shutdown(socket.SHUT_WR)
        p.stdin.close()
        assert p.wait(WAIT) == 0
    server.close()


def test_as_an_imported_module(tmp_path):
    (tmp_path / "some_worker.py").write_text(source(""), encoding="utf-8")
    text = "import sys\nsys.path.insert(0, %r)\nimport some_worker\nsome_worker.serve_popen('x-worker')\n" % str(tmp_path)
    worker = Worker(NEWEST, text=text).started()
    text = error(worker.run("from __main__ import Message, Popen2IO\n1/0"))
    assert "some_worker" not in text
    assert "ZeroDivisionError" in text
    assert worker.stop() == 0


@pytest.mark.parametrize("level", ["1", "2"])
def test_tracing(start, level, tmp_path):
    worker = start(NEWEST, env={"EXECNET_DEBUG": level, "TMPDIR": str(tmp_path)}, stderr=subprocess.PIPE)
    assert worker.run("channel.send(channel.receive(1) if 0 else 7)").receive(WAIT) == 7
    assert worker.stop() == 0
    if level == "2":
        said = worker.popen.stderr.read().decode()
        assert said.startswith("[%d] " % worker.popen.pid)
    else:
        said = (tmp_path / ("execnet-debug-%d" % worker.popen.pid)).read_text()
    assert "gw0-worker" in said
    assert "received <Message CHANNEL_EXEC channel=1" in said
    assert "sending <Message CHANNEL_DATA channel=1" in said


def test_tracing_beside_execnet(start, tmp_path):
    """Remote code that imports execnet makes that empty the file of the trace."""
    worker = start(sys.executable, env={"EXECNET_DEBUG": "1", "TMPDIR": str(tmp_path)})
    file = tmp_path / ("execnet-debug-%d" % worker.popen.pid)
    name = worker.run("import execnet; channel.send(execnet.gateway_base.fn)").receive(WAIT)
    assert name == str(file)
    assert "creating workergateway" in file.read_text(), "what was written before the item was sent"
    worker.run("import execnet; execnet.gateway_base.trace('of execnet')").waitclose(WAIT)
    assert worker.stop() == 0
    said = file.read_text()
    assert "\0" not in said
    order = ["creating workergateway", "sending <Message CHANNEL_DATA channel=1", "of execnet", "shutting down"]
    assert sorted(order, key=said.index) == order, said
    assert said.count("creating workergateway") == 1, said


def test_end_of_file_ends_a_worker(start):
    worker = start(NEWEST)
    channel = worker.run("channel.send(1)\nchannel.receive()")
    channel.receive(WAIT)
    worker.popen.stdin.close()
    assert worker.popen.wait(WAIT) == 0


def test_interrupting_what_does_not_end(start):
    worker = start(NEWEST, stderr=subprocess.DEVNULL)
    channel = worker.run("import time\nchannel.send(1)\ntime.sleep(100)")
    channel.receive(WAIT)
    began = time.time()
    worker.gw.exit()
    assert worker.popen.wait(WAIT) == 0
    assert 4.5 < time.time() - began < 13


def test_a_worker_leaves_with_its_driver():
    """A killed driver is an end of file, also for source that does not end."""
    worker = Worker(NEWEST, stderr=subprocess.DEVNULL).started()
    worker.run("while 1: pass")
    worker.popen.stdin.close()
    assert worker.popen.wait(WAIT) is not None


def test_a_corrupt_header_ends_it(start):
    worker = start(NEWEST)
    worker.io.write(struct.pack("!bii", 4, 1, -5))
    assert worker.popen.wait(WAIT) == 0


def test_dies_when_killed(start):
    worker = start(NEWEST)
    channel = worker.run("channel.receive()")
    worker.popen.send_signal(signal.SIGKILL)
    with pytest.raises(EOFError):
        channel.receive(WAIT)


@pytest.mark.parametrize("python", [PYTHONS[0], NEWEST])
def test_stderr_that_nobody_reads(start, python, tmp_path):
    """A worker goes on and ends, however much it would like to say there."""
    worker = start(python, env={"EXECNET_DEBUG": "2"}, stderr=subprocess.PIPE)
    channel = worker.run("for x in channel: channel.send(x)")
    for i in range(2000):  # what is traced for these does not fit into a pipe
        channel.send(i)
        assert channel.receive(WAIT) == i
    channel.close()
    failing = worker.run("dropped = channel.gateway.newchannel(); channel.send(dropped); channel.receive(); del dropped")
    dropped = failing.receive(WAIT)
    dropped.close("x" * 100000)  # nobody asks for it there, so it is written to stderr
    failing.send(None)
    failing.waitclose(WAIT)
    assert worker.stop() == 0
    assert len(worker.popen.stderr.read()) > 4096, "what fits is written"
