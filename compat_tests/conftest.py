"""Fixtures of the Python tests: built programs, gateways over all transports, Python workers."""
import gc
import getpass
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import execnet
import pytest

from pythonworker import PYTHONS, WAIT, Worker, label

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Go workers run what these tests send by themselves, unless a test chooses an engine.
if not os.environ.get("EXECNET_ENGINE"):
    os.environ["EXECNET_ENGINE"] = "gpython"


def pytest_report_header(config):
    return "execnet under test: %s (%s)" % (execnet.__version__, os.path.dirname(execnet.__file__))


def pytest_configure(config):
    config.addinivalue_line("markers", "late: runs after all others, as it checks what needs time")
    config.addinivalue_line("markers", "cpython: uses or expects what PyPy lacks or does in its own way")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("late") is not None)


def pytest_sessionstart(session):
    """Stops if the installed execnet is not the release that the tox env is for."""
    # A shell makes its background programs ignore SIGINT, and their children inherit that. Tests
    # need children that it interrupts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted = os.environ.get("EXECNET_TEST_RELEASE")
    if wanted and execnet.__version__ != wanted:
        raise pytest.UsageError("execnet %s is installed, EXECNET_TEST_RELEASE asks for %s"
                                % (execnet.__version__, wanted))


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """build(package, variable) is the path of a Go program: $variable, or built for the session."""
    def build(package, variable=None):
        binary = os.environ.get(variable or "")
        if not binary:
            name = os.path.basename(package) + (".exe" if os.name == "nt" else "")
            binary = str(tmp_path_factory.mktemp("bin") / name)
            subprocess.run(["go", "build", "-o", binary, package], cwd=ROOT, check=True)
        return binary
    return build


@pytest.fixture(scope="session")
def command(build):
    """The path of the execnet command."""
    return build("./cmd/execnet", "EXECNET_TEST_BINARY")


@pytest.fixture(scope="session")
def goworker(build):
    """The path of the program goworker/."""
    return build("./compat_tests/goworker", "EXECNET_TEST_GOWORKER")


@pytest.fixture(scope="session")
def pyworker(build):
    """The path of the program pyworker/."""
    return build("./compat_tests/pyworker", "EXECNET_TEST_PYWORKER")


@pytest.fixture(scope="session")
def run(command):
    """run(*args, stdin=bytes) runs the command, which has to succeed, and returns its stdout."""
    def run(*args, stdin):
        done = subprocess.run([command, *args], input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return run


# The transports to a Go worker. The first reach the program of goworker/, with the functions that
# it registers, the others reach the command.
TO_GOWORKER = ["popen", "popen_word", "ssh", "via_python", "via_go", "installvia"]
TO_COMMAND = ["socketserver", "sshserver"]
TRANSPORTS = TO_GOWORKER + TO_COMMAND


class Transports:
    """Makes gateways to Go workers over every transport. Servers are started at their first use."""

    def __init__(self, folder, goworker, command):
        self.folder, self.goworker, self.command = folder, goworker, command
        self.servers = []  # processes
        self._known = {}

    def connect(self, transport, group, keys=""):
        """A new gateway in the group. keys are further parts of its spec, each with // in front."""
        return group.makegateway(getattr(self, transport)(group) + keys)

    def popen(self, group):
        return "popen//python=" + self.goworker

    def popen_word(self, group):
        return "popen//python=%s worker" % self.goworker

    def via_python(self, group):
        return "popen//via=%s//python=%s worker" % (group.makegateway("popen").id, self.goworker)

    def via_go(self, group):
        return "popen//via=%s//python=%s worker" % (group.makegateway(self.popen(group)).id, self.goworker)

    def installvia(self, group):
        return "socket//installvia=" + group.makegateway(self.popen(group)).id

    def ssh(self, group):
        return "ssh=box//ssh_config=%s//python=%s" % (self.sshd(), self.goworker)

    def socketserver(self, group):
        return "socket=127.0.0.1:%d" % self._once(self.start_socketserver)

    def sshserver(self, group):
        return "ssh=-p %d box//ssh_config=%s//python=execnet" % self._once(self.start_sshserver)

    def _once(self, start):
        if start not in self._known:
            self._known[start] = start()
        return self._known[start]

    def serve(self, *args):
        """Starts a server of the command and returns its process; .port is where it listens."""
        server = subprocess.Popen([self.command, *args], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.servers.append(server)
        said = []
        for line in server.stdout:
            said.append(line.decode())
            port = re.search(r"127\.0\.0\.1:(\d+)", said[-1])
            if port:
                server.port = int(port.group(1))
                threading.Thread(target=server.stdout.read, daemon=True).start()
                return server
        raise AssertionError("%s %s: %s" % (self.command, " ".join(args), "".join(said)))

    def start_socketserver(self, *args):
        """Starts a socket server with these further arguments and returns its port."""
        return self.serve("socketserver", "127.0.0.1:0", *args).port

    def start_sshserver(self, *args):
        """Starts an ssh server with these further arguments.

        Returns its port and the path of a client's configuration.
        """
        key = self._once(self._user_key)
        host_key = os.path.join(self.folder, "server_host_key")
        server = self.serve("sshserver", "127.0.0.1:0", "--authorized-keys", key + ".pub", "--host-key", host_key, *args)
        return server.port, self.ssh_config("server%d" % server.port, server.port, None)

    def sshd(self):
        """The path of a client's configuration for a real sshd, which runs."""
        return self._once(self._sshd)

    def _user_key(self):
        return self._keygen("user_key")

    def _keygen(self, name):
        path = os.path.join(self.folder, name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        return path

    def ssh_config(self, name, port, host_key):
        """Writes a client's configuration for the host "box" and returns its path.

        Without a host key the client accepts any.
        """
        path = os.path.join(self.folder, name + "_config")
        known = os.path.join(self.folder, name + "_known")
        if host_key:
            with open(host_key + ".pub") as key, open(known, "w") as f:
                f.write("[127.0.0.1]:%d %s" % (port, key.read()))
        lines = ["Host box", "HostName 127.0.0.1", "Port %d" % port, "User " + getpass.getuser(),
                 "IdentityFile " + self._once(self._user_key), "IdentitiesOnly yes", "IdentityAgent none",
                 "UserKnownHostsFile " + known, "GlobalKnownHostsFile " + os.devnull, "BatchMode yes",
                 "StrictHostKeyChecking " + ("yes" if host_key else "accept-new"), "LogLevel ERROR"]
        with open(path, "w") as f:
            f.write("\n".join(lines) + "\n")
        return path

    def _sshd(self):
        """Starts a real sshd and returns the path of a client's configuration."""
        program = shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
        assert program, "sshd is not installed"
        host_key, user_key = self._keygen("sshd_host_key"), self._once(self._user_key)
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        config = os.path.join(self.folder, "sshd_config")
        with open(config, "w") as f:
            f.write("\n".join([
                "ListenAddress 127.0.0.1", "Port %d" % port, "HostKey " + host_key, "PidFile none", "UsePAM no",
                "AuthorizedKeysFile %s.pub" % user_key, "StrictModes no", "PasswordAuthentication no",
                "PermitRootLogin yes", "PrintMotd no", "PrintLastLog no", "MaxStartups 100", "LogLevel ERROR"]) + "\n")
        if hasattr(os, "getuid") and os.getuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)  # sshd needs it to start
        log = os.path.join(self.folder, "sshd_log")
        server = subprocess.Popen([program, "-D", "-E", log, "-f", config], stdin=subprocess.DEVNULL)
        self.servers.append(server)
        end = time.time() + WAIT
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return self.ssh_config("sshd", port, host_key)
            except OSError:
                if server.poll() is not None or time.time() > end:
                    with open(log) as f:
                        raise AssertionError("sshd does not listen: " + f.read())
                time.sleep(0.01)

    def close(self):
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            try:
                server.wait(WAIT)
            finally:
                server.kill()
                server.wait()


@pytest.fixture(scope="session")
def transports(tmp_path_factory, goworker, command):
    transports = Transports(str(tmp_path_factory.mktemp("transports")), goworker, command)
    yield transports
    transports.close()


@pytest.fixture
def group():
    """A group for one test, which is terminated after it."""
    group = execnet.Group()
    yield group
    group.terminate(timeout=WAIT)


def gone(*pids, by=None):
    """Waits until these processes have ended (zombies have), at the latest until the time by."""
    by = by or time.time() + WAIT
    while True:
        left = subprocess.run(["ps", "-o", "pid=,stat=,args=", "-p", ",".join(map(str, pids))],
                              stdout=subprocess.PIPE).stdout.decode().splitlines()
        left = [line for line in left if not line.split()[1].startswith("Z")]
        if not left:
            return
        assert time.time() < by, left
        time.sleep(0.02)


def started(group, gateway):
    """Yields the gateway, then terminates its group and checks that its process exits with 0."""
    yield gateway
    group.terminate(timeout=WAIT)
    process = getattr(gateway._io, "popen", None)
    assert process is None or process.wait(WAIT) == 0


@pytest.fixture(scope="module", params=TRANSPORTS)
def gw(request, transports):
    """A gateway for each transport. The tests of a module share it and leave it as it was."""
    group = execnet.Group()
    yield from started(group, transports.connect(request.param, group))


@pytest.fixture(scope="module", params=TO_GOWORKER)
def gofuncs(request, transports):
    """Like gw, but only to workers that have the functions of goworker/."""
    group = execnet.Group()
    yield from started(group, transports.connect(request.param, group))


@pytest.fixture(scope="module")
def popen_gw(transports):
    """Like gw, but only over popen."""
    group = execnet.Group()
    yield from started(group, transports.connect("popen", group))


@pytest.fixture
def settle():
    """settle(gateway) waits until the executions and channels of earlier tests have ended."""
    def settle(gateway):
        end = time.time() + WAIT
        gc.collect()
        while True:
            status = gateway.remote_status()
            if (status.numexecuting, status.numchannels) == (0, 0):
                return
            assert time.time() < end, status
    return settle


def error(channel):
    """The text of the error that the channel ends with."""
    with pytest.raises(channel.RemoteError) as info:
        channel.waitclose(WAIT)
    return info.value.formatted


@pytest.fixture
def start():
    """start(...) starts a Python worker as Worker does. It ends with the test."""
    workers = []

    def start(*args, **kwargs):
        worker = Worker(*args, **kwargs)
        workers.append(worker)
        return worker.started()
    yield start
    for worker in workers:
        if worker.popen.poll() is None and hasattr(worker, "gw"):
            worker.stop()
        worker.popen.kill()
        worker.popen.wait()


@pytest.fixture(scope="module", params=PYTHONS, ids=label)
def worker(request):
    """A Python worker for each interpreter. The tests of a module share it."""
    w = Worker(request.param).started()
    w.py2 = w.run("import sys; channel.send(sys.version_info[0])").receive(WAIT) == 2
    yield w
    assert w.stop() == 0
