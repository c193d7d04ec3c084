"""Bytes that no driver sends. A Go worker refuses them with an error and executes nothing."""
import os
import re
import socket
import struct
import subprocess
import time

import execnet
import pytest
from execnet import gateway_base, gateway_bootstrap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import WAIT

(STATUS, RECONFIGURE, TERMINATE, EXEC, DATA, CLOSE, CLOSE_ERROR, LAST_MESSAGE) = range(8)


class Recorder:
    """Takes the place of a pipe and keeps what a driver writes first."""

    def __init__(self):
        self.said = b""

    def write(self, data):
        self.said += data

    def read(self, n):
        return b"1"


def first_line(style="exec", spec="popen//id=gw0//execmodel=thread"):
    recorder = Recorder()
    getattr(gateway_bootstrap, "bootstrap_" + style)(recorder, execnet.XSpec(spec))
    return recorder.said


def message(code, channel=0, payload=b"", length=None):
    return struct.pack("!bii", code, channel, len(payload) if length is None else length) + payload


def task(*item):
    return gateway_base.dumps_internal(item)


@pytest.fixture
def talk(goworker, tmp_path):
    """talk(data) writes data to a worker and closes its stdin: (exit status, stdout, stderr)."""
    def talk(data, *args, **more):
        worker = subprocess.Popen([goworker] + list(args or ["worker"]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, cwd=str(tmp_path), **more)
        try:
            out, err = worker.communicate(data, timeout=WAIT)
        finally:
            worker.kill()
            worker.wait()
        err = err.decode()
        for crash in ("panic:", "goroutine ", "fatal error", "runtime error"):
            assert crash not in err, err
        assert worker.returncode >= 0, err
        return worker.returncode, out, err
    return talk


@pytest.mark.parametrize("args", [["worker"], ["-u", "-c", "LINE"], ["-u", "-B", "-c", "LINE"], ["-c", "LINE"],
                                  ["worker", "-u", "-c", "LINE"], ["worker", "-c", "LINE"]], ids=" ".join)
def test_what_drivers_say(talk, args):
    args = ["import sys;exec(eval(sys.stdin.readline()))" if arg == "LINE" else arg for arg in args]
    code, out, err = talk(first_line() + message(TERMINATE), *args)
    assert (code, out, err) == (0, b"1", "")
    if hasattr(gateway_bootstrap, "importdir"):
        assert talk(first_line("import") + message(TERMINATE), *args) == (0, b"1", "")


@pytest.mark.parametrize("args", [[], ["-c", "print(1)"], ["-u"], ["worker", "more"], ["-c"], ["-V"],
                                  ["-u", "-c", "import sys;exec(eval(sys.stdin.readline())) "]], ids=" ".join)
def test_other_arguments_are_the_programs_own(goworker, args):
    done = subprocess.run([goworker] + args, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=WAIT)
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"goworker: to be started by a driver\n")


TOUCH = "import os; os.system('echo > touched')"


def lines():
    real = eval(first_line().decode("utf-8"))
    return {
        "nothing": b"", "an empty line": b"\n", "spaces": b"   \n", "an empty literal": b"''\n",
        "a number": b"1\n", "no literal": TOUCH.encode() + b"\n", "bare quotes": b"'\n", "unclosed": b"'abc\n",
        "an expression": b"__import__('os').system('echo > touched')\n",
        "a call behind a literal": b"'a'.join(__import__('os').system('echo > touched'))\n",
        "another program": ("%r\n" % TOUCH).encode(),
        "a program of one's own": ("%r\n" % "import sys\nsys.stdout.write('1')\n").encode(),
        "bytes": ("b%r\n" % real).encode("utf-8"),
        "two literals": first_line()[:-1] + b" " + first_line(),
        "an operator": first_line()[:-1] + b" % ()\n",
        "more at the end": ("%r\n" % (real + "\n" + TOUCH)).encode("utf-8"),
        "more at the beginning": ("%r\n" % (TOUCH + "\n" + real)).encode("utf-8"),
        "more behind the call": ("%r\n" % (real + ";" + TOUCH)).encode("utf-8"),
        "another call": ("%r\n" % real.replace("serve(io, id='gw0-worker')", "os.system('echo > touched')")).encode("utf-8"),
        "an id that is none": ("%r\n" % real.replace("gw0-worker'", "gw0' + str(os.system('echo > touched'))")).encode("utf-8"),
        "an unknown model": first_line(spec="popen//id=gw0//execmodel=fibres"),
        "half a line": first_line()[:20000], "a line without its end": first_line()[:-1],
        "a bad escape": first_line().replace(b"\\n", b"\\xZZ", 1),
        "zeros": b"\0" * 1000, "high bytes": b"\xff\xfe\n" * 10, "bad UTF-8": b"'\xff\xff'\n",
        "a message": message(STATUS, 1), "http": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "ssh": b"SSH-2.0-OpenSSH\r\n",
        "endless": b"'" + b"a" * 20000000,
    }


@pytest.mark.parametrize("name", sorted(lines()))
def test_strange_first_lines_are_refused(talk, tmp_path, name):
    code, out, err = talk(lines()[name])
    assert code == 2
    assert out == b""
    assert err.startswith("execnet: ") and err.endswith("\n")
    assert len(err) < 1000
    assert not (tmp_path / "touched").exists()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.booleans())
def test_random_first_lines_are_refused(talk, line, literal):
    if literal:
        line = ascii(line.decode("latin-1")).encode() + b"\n"
    code, out, err = talk(line)
    assert (code, out) == (2, b"")
    assert err.startswith("execnet: ")


def test_a_line_that_never_ends_is_not_waited_for(goworker):
    """It is refused before it ends."""
    worker = subprocess.Popen([goworker, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        worker.stdin.write(b"GET / HTTP/1.1")
        worker.stdin.flush()
        assert worker.wait(WAIT) == 2
    finally:
        worker.kill()
        worker.communicate()


def test_the_socket_server_starts_nothing_for_strangers(transports, group):
    port = int(transports.socketserver(group).split(":")[1])
    with socket.create_connection(("127.0.0.1", port), WAIT):  # sends nothing
        for said in [b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100, TOUCH.encode() + b"\n",
                     b"'" + TOUCH.encode() + b"'\n", first_line("socket")[:-1] + b" + ''\n"]:
            with socket.create_connection(("127.0.0.1", port), WAIT) as stranger:
                stranger.sendall(said)
                try:
                    assert stranger.recv(100) == b""
                except ConnectionResetError:
                    pass  # it was closed before everything was read
        gateway = transports.connect("socketserver", group)
        assert gateway.remote_exec("channel.send(1)").receive(WAIT) == 1
    assert not os.path.exists("touched")


@pytest.mark.parametrize("asked", ["true", "", "python", "python -c 'import sys'", "execnet version", "sh -c id",
                                     'python -c "import sys;exec(eval(sys.stdin.readline()))"; true'])
def test_the_ssh_server_starts_nothing_but_workers(transports, group, asked):
    port, config = re.search(r"ssh=-p (\d+) box//ssh_config=(.*)//python", transports.sshserver(group)).groups()
    done = subprocess.run(["ssh", "-F", config, "-p", port, "box"] + ([asked] if asked else []),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT)
    assert done.returncode != 0
    assert done.stdout == b""


ENDS = {
    "unknown code": message(8), "code 99": message(99, 1, b"x"), "negative code": message(-1, 1, b"x"),
    "negative length": message(DATA, 1, length=-1), "most negative length": message(DATA, 1, length=-2**31),
    "text": b"hello, is there anybody?\n" * 3,
    "no task": message(EXEC, 1), "half a task": message(EXEC, 1, task("pass", None, None, {})[:-5]),
    "None for a task": message(EXEC, 1, b"LQ"), "garbage for a task": message(EXEC, 1, b"\xff\xfe\xfd"),
    "a task of three": message(EXEC, 1, task("pass", None, None)),
    "a task of five": message(EXEC, 1, task("pass", None, None, {}, 1)),
    "a task of numbers": message(EXEC, 1, task(1, 2, 3, 4)),
    "a task with a list": message(EXEC, 1, task("pass", None, None, [])),
    "a task with an odd keyword": message(EXEC, 1, task("def f(channel): pass", None, "f", {1: 2})),
    "a task of 2**31 items": message(EXEC, 1, b"K\x7f\xff\xff\xffQ"),
    "a task of 300000 levels": message(EXEC, 1, b"K\0\0\0\1F\0\0\0\0" * 300000 + b"L" + b"P" * 300000 + b"Q"),
}


@pytest.mark.parametrize("name", sorted(ENDS))
def test_what_breaks_the_protocol_ends_the_worker(talk, name):
    code, out, err = talk(first_line() + ENDS[name])
    assert code == 1
    assert out[:1] == b"1"
    assert err.startswith("execnet: ") and len(err) < 1000


PECULIAR = {
    "cut header": b"\4\0\0", "cut payload": message(DATA, 1, b"abc", length=1000),
    "2 GiB announced": message(DATA, 1, length=2**31 - 1), "2 GiB of a task": message(EXEC, 1, length=2**31 - 1),
    "data for nobody": message(DATA, 77, b"LQ"), "data for channel 0": message(DATA, 0, b"LQ"),
    "data for a negative channel": message(DATA, -5, b"LQ"),
    "a task on channel 0": message(EXEC, 0, task("channel.receive()", None, None, {})),
    "a task on an even channel": message(EXEC, 2, task("channel.gateway.newchannel()", None, None, {})),
    "two tasks on a channel": message(EXEC, 1, task("channel.receive()", None, None, {})) * 2,
    "close of nothing": message(CLOSE, 99), "last message of nothing": message(LAST_MESSAGE, 99),
    "an error that is none": message(CLOSE_ERROR, 1, b"\xff"), "an error that is a number": message(CLOSE_ERROR, 1, b"F\0\0\0\1Q"),
    "set-up that is none": message(RECONFIGURE, 0, b"\xff"), "set-up of a number": message(RECONFIGURE, 0, b"LQ"),
    "status with a payload": message(STATUS, 1, b"xyz"), "much status": message(STATUS, 1) * 5000,
    "end with a payload": message(TERMINATE, 5, b"xyz"), "more behind the end": message(TERMINATE) + b"\xff" * 100000,
    "a callback's channel closed twice": message(CLOSE, 1) * 2,
    "many channels in a value": message(DATA, 1, b"B\0\0\0\3" * 100 + b"@\0\0\0\x64Q"),
}


@pytest.mark.parametrize("name", sorted(PECULIAR))
def test_what_is_peculiar_does_no_harm(talk, name):
    begin = time.time()
    code, out, err = talk(first_line() + PECULIAR[name])
    assert time.time() - begin < 4, "it ends with its input"
    assert code in (0, 1)
    if name.startswith("an error that"):  # nobody received it, so it is shown as a warning
        assert code == 0 and err.startswith("[gw0-worker] Warning: unhandled remote error: ")
    else:
        assert (code == 0) == (err == ""), "what ends the worker is told"
    assert out[:1] == b"1"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(
    st.binary(max_size=60),
    st.builds(message, st.integers(-2, 9), st.sampled_from([0, 1, 2, 3, -1, 2**31 - 1]), st.binary(max_size=40)),
    st.builds(lambda code, channel, item: message(code, channel, gateway_base.dumps_internal(item)),
              st.sampled_from([RECONFIGURE, EXEC, DATA, CLOSE_ERROR]), st.integers(0, 4),
              st.recursive(st.none() | st.integers(0, 9) | st.text(max_size=5), lambda i: st.tuples(i, i, i, i) | st.lists(i),
                           max_leaves=8)),
), max_size=12))
def test_random_messages_do_no_harm(talk, parts):
    code, out, err = talk(first_line() + b"".join(parts))
    assert code in (0, 1)
    assert code == 0 or err != ""


def test_a_length_is_a_claim(goworker):
    """No memory is reserved for bytes that have not arrived."""
    worker = subprocess.Popen([goworker, "worker"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        worker.stdin.write(first_line() + message(STATUS, 1) + message(DATA, 1, b"x" * 100000, length=2**31 - 1))
        worker.stdin.flush()
        assert worker.stdout.read(1) == b"1"
        code, channel, length = struct.unpack("!bii", worker.stdout.read(9))
        assert (code, channel) == (DATA, 1)
        assert b"numexecuting" in worker.stdout.read(length)
        with open("/proc/%d/status" % worker.pid) as f:
            peak = [int(line.split()[1]) for line in f if line.startswith("VmHWM")]
        assert peak[0] < 200000, "kB"
        worker.stdin.close()
        assert worker.wait(WAIT) in (0, 1)
    finally:
        worker.kill()
        worker.wait()
