"""Gateways from pip's execnet to Go workers: rinfo, chdir and the like, via, rsync, termination."""
import os
import subprocess
import sys
import time

import execnet
import pytest

from conftest import ROOT, TRANSPORTS, WAIT, gone


def test_rinfo(gw, goworker, command):
    info = gw._rinfo()
    assert info.platform == sys.platform
    assert os.path.isabs(info.cwd) and os.path.isdir(info.cwd)
    assert os.path.samefile(info.executable, command if gw.spec.socket not in (None, True)
                            or gw.spec.python == "execnet" else goworker)
    assert isinstance(info.version_info, tuple) and len(info.version_info) == 5
    assert info.version_info >= (3,)
    os.kill(info.pid, 0)
    assert gw._rinfo(update=True).pid == info.pid
    channel = gw.remote_exec("import os; channel.send(os.getpid())")
    assert channel.receive(WAIT) == info.pid


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_chdir_nice_env(transports, group, tmp_path, transport):
    folder = tmp_path / "new"
    before = os.getpriority(os.PRIO_PROCESS, 0)
    # Over sockets the first line holds the whole spec, which execnet 1.x can write in ASCII only.
    text = "e" if execnet.__version__.startswith("1.") else u"\u20ac"
    gateway = transports.connect(
        transport, group, u"//chdir=%s//nice=3//env:EXECNET_TEST_A=a=b c//env:EXECNET_TEST_B=%s" % (folder, text))
    channel = gateway.remote_exec("""
        import os
        channel.send([os.getcwd(), os.environ["EXECNET_TEST_A"], os.getenv("EXECNET_TEST_B"),
                      os.environ.get("EXECNET_TEST_C")])
    """)
    assert channel.receive(WAIT) == [str(folder), "a=b c", text, None]
    info = gateway._rinfo()
    assert info.cwd == str(folder)
    for thread in os.listdir("/proc/%d/task" % info.pid) if os.path.isdir("/proc/self/task") else [info.pid]:
        assert os.getpriority(os.PRIO_PROCESS, int(thread)) == before + 3
    assert not os.path.samefile(os.getcwd(), str(folder))


def test_functions_see_the_set_up(transports, group, tmp_path):
    gateway = transports.connect("popen", group, "//chdir=%s//env:EXECNET_TEST_A=x" % tmp_path)
    channel = gateway.remote_exec("""
        import gofuncs
        channel.send([gofuncs.getwd(), gofuncs.getenv("EXECNET_TEST_A"), gofuncs.pid()])
    """)
    assert channel.receive(WAIT) == [str(tmp_path), "x", gateway._rinfo().pid]


def test_workers_of_servers_are_apart(transports, group, tmp_path):
    """Each connection has a process of its own, and so a folder of its own."""
    for transport in ("socketserver", "sshserver"):
        one = transports.connect(transport, group, "//chdir=%s" % tmp_path)
        other = transports.connect(transport, group)
        assert one._rinfo().pid != other._rinfo().pid
        assert one._rinfo().cwd == str(tmp_path) != other._rinfo().cwd


def test_several_gateways_side_by_side(transports, group):
    for transport in ("popen", "popen_word", "socketserver", "sshserver", "popen", "ssh"):
        transports.connect(transport, group)
    channels = group.remote_exec("""
        for x in channel:
            channel.send([x, channel.gateway.id])
    """)
    for i in range(20):
        channels.send_each(i)
        assert [item[0] for item in channels.receive_each()] == [i] * 6
    pids = {gateway._rinfo().pid for gateway in group}
    assert len(pids) == 6
    queue = group.remote_exec("import os; channel.send(os.getpid())").make_receive_queue(endmarker=None)
    got = [queue.get(timeout=WAIT)[1] for _ in range(12)]
    assert got.count(None) == 6 and set(got) - {None} == pids


def test_chains_of_workers(transports, group):
    """A Go worker via a Go worker via a Go worker, and a Python worker via those."""
    goworker = transports.goworker
    first = group.makegateway("popen//id=first//python=" + goworker)
    second = group.makegateway("popen//id=second//via=first//python=%s worker" % goworker)
    third = group.makegateway("popen//id=third//via=second//python=" + goworker)
    python = group.makegateway("popen//id=python//via=third//python=" + sys.executable)
    channel = third.remote_exec("import gofuncs\nfor x in channel: channel.send(gofuncs.echo(x))")
    for value in [1, {"k": [None, (2.5, b"x" * 100000)]}, u"\u20ac"]:
        channel.send(value)
        assert channel.receive(WAIT) == value
    channel.close()
    channel = python.remote_exec("import sys; channel.send(sys.executable); channel.send(channel.receive())")
    assert channel.receive(WAIT) == sys.executable
    channel.send("all the way")
    assert channel.receive(WAIT) == "all the way"
    pids = [gateway._rinfo().pid for gateway in (first, second, third, python)]
    assert len(set(pids)) == 4
    group.terminate(timeout=WAIT)
    gone(*pids)


def test_a_go_worker_forwards_to_ssh(transports, group):
    transports.connect("popen", group, "//id=master")
    gateway = transports.connect("ssh", group, "//via=master")
    channel = gateway.remote_exec("import gofuncs\nfor x in channel: channel.send(gofuncs.echo(x))")
    for value in [1, {"k": [None, (2.5, b"x" * 100000)]}, u"\u20ac"]:
        channel.send(value)
        assert channel.receive(WAIT) == value
    assert gateway.remoteaddress == "box"
    channel.close()


def test_a_python_of_no_name_behind_a_go_worker(transports, group):
    """It is the forwarder's own program, as it is sys.executable for a forwarder in Python."""
    transports.connect("popen", group, "//id=master")
    gateway = group.makegateway("popen//via=master")
    assert gateway.remote_exec("import gofuncs; channel.send(gofuncs.count('a b'))").receive(WAIT) == 2
    assert gateway._rinfo().pid != group["master"]._rinfo().pid


def test_what_a_forwarder_cannot_start(transports, group):
    master = transports.connect("popen", group, "//id=master")
    with pytest.raises((EOFError, IOError, AssertionError, master.newchannel().RemoteError)):
        gateway = group.makegateway("popen//via=master//python=/no/such/python")
        # If the worker does not answer, execnet returns a gateway that is dead.
        gateway.remote_exec("channel.send(1)").receive(WAIT)
    assert master.remote_exec("channel.send(1)").receive(WAIT) == 1


@pytest.mark.parametrize("configuration", [(False, False), (True, True), (False, True)])
def test_what_drivers_ask_for_after_reconfigure(goworker, group, tmp_path, configuration):
    gateway = group.makegateway("popen//id=first//python=" + goworker)
    gateway.reconfigure(*configuration)
    sub = group.makegateway("popen//via=first//python=" + sys.executable)
    channel = sub.remote_exec("channel.send(channel.receive() + 1)")
    channel.send(1)
    assert channel.receive(WAIT) == 2
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_bytes(b"content")
    os.symlink("file", str(source / "link"))
    sync = execnet.RSync(str(source), verbose=False)
    sync.add_target(gateway, str(tmp_path / "target"))
    sync.send()
    assert (tmp_path / "target" / "file").read_bytes() == b"content"
    assert os.readlink(str(tmp_path / "target" / "link")) == "file"


@pytest.mark.parametrize("transport", ["popen", "via_go", "socketserver", "sshserver"])
def test_rsync(transports, group, tmp_path, transport):
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub" / "empty").mkdir(parents=True)
    (source / "a.txt").write_bytes(b"first")
    (source / "sub" / "b.bin").write_bytes(os.urandom(200000))
    (source / "sub" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (source / "sub" / "run.sh").chmod(0o755)
    os.symlink("sub/b.bin", str(source / "relative"))
    os.symlink(str(source / "a.txt"), str(source / "absolute"))
    gateway = transports.connect(transport, group)
    seen = []

    def sync(**options):
        finished = []
        # execnet's callback fails if nothing has to be sent.
        callback = None if options else lambda *args: seen.append(args[:2])
        rsync = execnet.RSync(str(source), callback=callback, verbose=False)
        rsync.add_target(gateway, str(target), finishedcallback=lambda: finished.append(1), **options)
        rsync.send()
        assert finished == [1]
        return sorted(path for path in tree(target) if path != "absolute")

    def tree(folder):
        return {os.path.relpath(os.path.join(at, name), str(folder)): os.path.join(at, name)
                for at, folders, files in os.walk(str(folder)) for name in folders + files}

    assert sync() == ["a.txt", "relative", "sub", os.path.join("sub", "b.bin"), os.path.join("sub", "empty"),
                      os.path.join("sub", "run.sh")]
    for name, path in tree(source).items():
        if os.path.isfile(path) and not os.path.islink(path):
            copy = str(target / name)
            with open(path, "rb") as a, open(copy, "rb") as b:
                assert a.read() == b.read()
            assert os.stat(path).st_mode == os.stat(copy).st_mode
            assert int(os.stat(path).st_mtime) == int(os.stat(copy).st_mtime)
    assert os.path.samefile(str(target / "relative"), str(target / "sub" / "b.bin"))
    assert os.path.samefile(str(target / "absolute"), str(target / "a.txt"))
    assert ("ack", 200000) in seen and ("list", 200000 + 5 + 10) in seen

    (source / "a.txt").write_bytes(b"second, longer")
    (target / "other").write_bytes(b"stays")
    del seen[:]
    assert "other" in sync()
    assert (target / "a.txt").read_bytes() == b"second, longer"
    assert (target / "other").read_bytes() == b"stays"
    assert [n for what, n in seen if what == "ack"] == [14]
    assert "other" not in sync(delete=True)


def test_what_was_asked_before_the_end_is_done(transports, group):
    """Also if the driver terminates the gateways at once."""
    gateways = [transports.connect("popen", group) for _ in range(6)]
    channels = [gateway.remote_exec("for i in range(3): channel.send(i)") for gateway in gateways for _ in range(3)]
    for gateway in gateways:
        gateway.exit()
    assert [list(channel) for channel in channels] == [[0, 1, 2]] * 18
    assert [gateway._io.popen.wait(WAIT) for gateway in gateways] == [0] * 6


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_an_orderly_end(transports, group, transport):
    """An execution gets the end of its channel, and what it sends after that still arrives."""
    gateway = transports.connect(transport, group)
    pid = gateway._rinfo().pid
    channel = gateway.remote_exec("""
        channel.send("ready")
        channel.send(list(channel))
    """)
    assert channel.receive(WAIT) == "ready"
    channel.send(1)
    if transport.startswith("via"):
        group.terminate(timeout=WAIT)  # execnet's proxies stop reading after exit
    else:
        gateway.exit()
        assert channel.receive(WAIT) == [1]
        gateway.join(WAIT)
        assert not gateway.hasreceiver()
    process = getattr(gateway._io, "popen", None)
    assert process is None or process.wait(WAIT) == 0
    gone(pid)


def test_terminating_a_worker_that_hangs(transports, group):
    for transport in ("popen", "via_go"):
        gateway = transports.connect(transport, group)
        channel = gateway.remote_exec("import gofuncs; channel.send(1); gofuncs.sleep(1000)")
        assert channel.receive(WAIT) == 1
    pids = [gateway._rinfo().pid for gateway in group]
    begin = time.time()
    group.terminate(timeout=1)
    assert time.time() - begin < 15
    gone(*pids)


def test_what_waits_is_interrupted_after_five_seconds(transports, group):
    """Go functions by their contexts, sources by KeyboardInterrupt. The workers exit with 0."""
    gateways = [transports.connect("popen", group) for _ in range(4)]
    channels = [gateway.remote_exec(source) for gateway, source in zip(gateways, [
        "import gofuncs; channel.send(1); gofuncs.wait()",
        "channel.send(1)\nwhile True: pass",
        "import time; channel.send(1); time.sleep(100)",
        """
        import gofuncs
        channel.send(1)
        try:
            gofuncs.wait()
        except KeyboardInterrupt:
            channel.send("interrupted")
        finally:
            channel.send("cleaned up")
        """])]
    for channel in channels:
        assert channel.receive(WAIT) == 1
    begin = time.time()
    group.terminate(timeout=12)
    assert 4.5 < time.time() - begin < 13
    assert [gateway._io.popen.wait(WAIT) for gateway in gateways] == [0] * 4
    assert list(channels[3]) == ["interrupted", "cleaned up"]


@pytest.fixture(scope="module")
def textstats(build):
    return build("./examples/textstats")


@pytest.mark.parametrize("transport", ["popen", "popen_word", "ssh", "socketserver", "sshserver"])
def test_the_example(transport, transports, textstats):
    spec = {
        "popen": lambda: "popen//python=" + textstats,
        "popen_word": lambda: "popen//python=%s worker" % textstats,
        "ssh": lambda: "ssh=box//ssh_config=%s//python=%s worker" % (transports.sshd(), textstats),
        "socketserver": lambda: "socket=127.0.0.1:%d" % transports.start_socketserver("--worker", textstats),
        "sshserver": lambda: "ssh=-p %d box//ssh_config=%s//python=execnet" % transports.start_sshserver("--worker", textstats),
    }[transport]()
    done = subprocess.run([sys.executable, os.path.join(ROOT, "examples", "textstats", "drive.py"), spec],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT)
    assert done.returncode == 0, done.stderr.decode()
    assert done.stdout.decode().splitlines() == [
        "[('does', 1), ('dog', 1), ('fox', 1), ('not', 1), ('sleeps', 1), ('the', 2)]",
        "[('cat', 1), ('the', 1), ('waits', 1)]",
    ]
