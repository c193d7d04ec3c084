"""The worker's half of a dial-back (protocol.md section 7.13), in a Python that a launcher started.

It becomes two processes. The child is the worker, whose stdin and stdout are pipes. The parent
connects to the driver that the variable EXECNET_LAUNCH names, shows that it belongs to the launch,
and copies between the two. So whatever the worker runs, TLS is spoken in a process that does nothing
else. The modules socket, ssl, hashlib, threading and subprocess take longer to import than all the
rest, so it uses those below them. Python 2.7 and 3.6 and newer, on Unix.
"""
import os
import sys

LINE = "import sys;exec(eval(sys.stdin.readline()))"
RANKS = "EXECNET_RANK OMPI_COMM_WORLD_RANK PMIX_RANK PMI_RANK SLURM_PROCID".split()
PATIENCE = 60.0  # seconds for connecting, and for the driver's answer
DRAIN = 10.0  # seconds in which the driver may take the last of what the worker has sent
CHUNK = 1 << 16  # more than a record of TLS holds, so OpenSSL keeps nothing that poll does not see


def fail(problem):
    import _socket
    sys.exit("execnet: a worker on %s: %s" % (_socket.gethostname(), problem))


def builtin(name, name2):
    """A module, by its name in Python 3 and in Python 2."""
    return __import__(name if sys.version_info[0] > 2 else name2)


class Worker(object):
    """The worker's process, and this end of its pipes. In that process itself pid is 0."""

    def __init__(self):
        ends = ()
        try:
            for fd in range(3):
                os.fstat(fd)  # the number of one that is closed would become that of a pipe
            if sys.stdin.fileno() or builtin("_thread", "thread")._count():
                raise ValueError
            ends = os.pipe() + os.pipe()
            self.pid = os.fork()
        except (AttributeError, EnvironmentError, ValueError):
            for fd in ends:
                os.close(fd)
            return self.start()
        stdin, self.stdin, self.stdout, stdout = ends
        if self.pid == 0:
            os.dup2(stdin, 0)
            os.dup2(stdout, 1)
            os.close(self.stdin)
            os.close(self.stdout)
        os.close(stdin)
        os.close(stdout)

    def start(self):
        """Start another interpreter, because this one has threads, or no stdin."""
        import subprocess
        self.process = subprocess.Popen(
            [sys.executable, "-u"] + subprocess._args_from_interpreter_flags() + ["-c", LINE],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=True, bufsize=0)
        self.pid = self.process.pid
        self.stdin, self.stdout = self.process.stdin.fileno(), self.process.stdout.fileno()

    def kill(self):
        try:
            os.kill(self.pid, 9)
        except OSError:
            pass  # it has ended


def dial(host, port):
    """A socket that is connected."""
    import _socket

    class Socket(_socket.socket):
        """One that _ssl can refer to weakly."""

    problem = None
    # As bytes, since with text Python imports what the names of other alphabets need.
    for family, kind, protocol, _, address in _socket.getaddrinfo(host.encode("ascii"), port, 0, _socket.SOCK_STREAM):
        try:
            sock = Socket(family, kind, protocol)
            sock.settimeout(PATIENCE)
            sock.connect(address)
            sock.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            sock.setsockopt(_socket.SOL_SOCKET, _socket.SO_KEEPALIVE, 1)
            return sock
        except EnvironmentError:
            problem = sys.exc_info()[1]
    raise problem


def secure(sock):
    """TLS on a socket, before its handshake, and the function that returns the driver's certificate."""
    def context(make):
        new = hasattr(ssl, "PROTOCOL_TLS_CLIENT")
        made = make(ssl.PROTOCOL_TLS_CLIENT if new else ssl.PROTOCOL_SSLv23)
        made.check_hostname = False  # no name counts, but this one certificate
        made.verify_mode = ssl.CERT_NONE
        return made

    try:
        import _ssl as ssl
        conn = context(ssl._SSLContext)._wrap_socket(sock, False)
        # Before Python 3.7 it has the first of these names.
        return conn, getattr(conn, "peer_certificate", None) or conn.getpeercert
    except (ImportError, AttributeError, TypeError):
        pass  # a later Python 3 may have others
    try:
        import socket
        import ssl
        conn = context(ssl.SSLContext).wrap_socket(
            socket.fromfd(sock.fileno(), sock.family, sock.type), do_handshake_on_connect=False)
    except (ImportError, AttributeError):
        fail("%s has no module ssl that could be used; it needs one to connect to its driver" % sys.executable)
    conn.settimeout(PATIENCE)
    return conn, conn.getpeercert


def connect(address, fingerprint):
    """A socket that leads to the driver, and to nobody else, and TLS on it."""
    host, port = address.rsplit(":", 1)
    try:
        sock = dial(host.strip("[]"), int(port))
        conn, certificate = secure(sock)
        conn.do_handshake()
    except EnvironmentError:
        problem = "cannot connect to the driver at %s: %s" % (address, sys.exc_info()[1])
        if host.startswith("127.") or host == "[::1]":
            problem += ("; perhaps it waits for no more workers, and that address leads to this machine: "
                        "if the driver runs on another one, write listen=ADDRESS in the spec")
        fail(problem)
    try:
        from _hashlib import openssl_sha256 as sha256
    except ImportError:
        from hashlib import sha256
    if sha256(certificate(True)).hexdigest() != fingerprint:
        fail("what listens at %s is not the driver: it has another certificate" % address)
    return sock, conn


def has_to_wait():
    """Whether the exception that is handled says that reading or writing has to wait."""
    return sys.exc_info()[0].__name__ in ("SSLWantReadError", "SSLWantWriteError")


def read(conn, size):
    """What has come: None if nothing has, and no bytes at the end."""
    try:
        return conn.read(size)
    except EnvironmentError:
        if has_to_wait():
            return None
        if sys.exc_info()[0].__name__ == "SSLEOFError":
            return b""  # TLS was not ended, but the connection was
        raise


def introduce(conn, secret):
    """Say the secret, the rank and the node, and wait until the driver takes this worker."""
    rank = [os.environ[name] for name in RANKS if os.environ.get(name, "").isdigit()] + ["-"]
    node = os.environ.get("SLURMD_NODENAME", "-")
    answer = b""
    try:
        conn.write(("execnet-launch 1 %s %s %s\n" % (secret, rank[0], node)).encode("ascii"))
        while not answer.endswith(b"\n") and len(answer) < 1000:
            byte = read(conn, 1)
            if not byte:
                break
            answer += byte
    except EnvironmentError:
        fail("the driver has not answered: %s" % sys.exc_info()[1])
    kind, _, reason = answer.partition(b" ")
    if kind != b"ok":
        reason = reason.decode("utf-8", "replace").strip() or "it closed the connection"
        fail("the driver does not take it: " + reason)


class Relay(object):
    """Copies between the driver and the worker, until the worker has ended.

    One thread does that, because OpenSSL allows one operation of a connection at a time.
    """

    def __init__(self, sock, conn, worker):
        import errno
        import fcntl
        self.full = errno.EAGAIN
        self.sock, self.conn, self.worker = sock, conn, worker
        self.stdin, self.stdout = worker.stdin, worker.stdout  # None if it is closed
        self.to_worker = self.to_driver = b""  # what is read and not written yet
        self.connected = True
        self.hears = True  # the driver may say more
        self.status = None  # how the worker has ended
        getattr(conn, "settimeout", sock.settimeout)(0)
        fcntl.fcntl(self.stdin, fcntl.F_SETFL, fcntl.fcntl(self.stdin, fcntl.F_GETFL) | os.O_NONBLOCK)

    def run(self):
        """Copy, and return the exit status of the worker, or 128 and its signal."""
        from select import POLLERR, POLLHUP, POLLIN, POLLOUT, poll
        from time import time
        over, ended = os.pipe()
        builtin("_thread", "thread").start_new_thread(self.reap, (ended,))
        until = None  # when to leave, if the driver does not end the connection before
        while True:
            status, wait = self.status, None
            if status is not None and self.stdout is None and not self.to_driver:
                if until is None:
                    self.finish()
                    until = time() + DRAIN
                wait = (until - time()) * 1000
                if not (self.connected and self.hears and wait > 0):
                    return status
            hears = self.hears and not self.to_worker
            speaks = self.stdout is not None and not self.to_driver
            polled, sock = poll(), self.sock.fileno()
            if self.connected:
                polled.register(sock, POLLIN * hears | POLLOUT * bool(self.to_driver))
            if self.to_worker:
                polled.register(self.stdin, POLLOUT)
            if speaks:
                polled.register(self.stdout, POLLIN)
            if status is None:
                polled.register(over, POLLIN)
            elif speaks:
                wait = 0  # the worker's children may keep its stdout open
            events = dict(polled.poll(wait))
            of_sock = events.get(sock, 0)
            if self.stdin in events:
                self.write_to_worker()
            if of_sock & POLLOUT:
                self.write_to_driver()
            if hears and of_sock & ~POLLOUT:
                self.read_from_driver()
            elif of_sock & (POLLHUP | POLLERR):
                self.lose()
            if speaks and self.stdout in events:
                self.read_from_worker()
            elif speaks and status is not None:
                self.close_stdout()

    def reap(self, ended):
        status = os.waitpid(self.worker.pid, 0)[1]
        self.status = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        os.close(ended)

    def read_from_driver(self):
        try:
            data = read(self.conn, CHUNK)
        except EnvironmentError:
            return self.lose()
        if data and self.stdin is not None:
            self.to_worker = memoryview(data)
            self.write_to_worker()
        elif data is not None and not data:
            self.hears = False
            self.close_stdin()

    def write_to_worker(self):
        try:
            while self.to_worker:
                self.to_worker = self.to_worker[os.write(self.stdin, self.to_worker):]
        except EnvironmentError:
            if sys.exc_info()[1].errno != self.full:
                self.close_stdin()  # it reads no more; the driver is still read, to its end

    def read_from_worker(self):
        self.to_driver = memoryview(os.read(self.stdout, CHUNK))
        if self.to_driver:
            self.write_to_driver()
        else:
            self.close_stdout()

    def write_to_driver(self):
        try:
            while self.to_driver:
                self.to_driver = self.to_driver[self.conn.write(self.to_driver):]
        except EnvironmentError:
            if not has_to_wait():
                self.lose()

    def lose(self):
        """End the worker, because the connection has ended: so a driver kills it."""
        self.connected = False
        if self.status is None:
            self.worker.kill()
        self.to_driver = b""
        self.close_stdin()
        self.close_stdout()

    def finish(self):
        """Say that nothing more comes from here."""
        try:
            self.sock.shutdown(1)
        except EnvironmentError:
            pass  # the driver has closed it

    def close_stdin(self):
        self.to_worker = b""
        if self.stdin is not None:
            os.close(self.stdin)
            self.stdin = None

    def close_stdout(self):
        if self.stdout is not None:
            os.close(self.stdout)
            self.stdout = None


def main():
    """Become a worker and its relay. In the worker it returns; the relay ends here."""
    launch = os.environ.pop("EXECNET_LAUNCH", "").split(",")
    if len(launch) != 3:
        fail("the variable EXECNET_LAUNCH is not set: the launcher has to hand its environment on "
             "(with mpirun: -x EXECNET_LAUNCH)")
    if os.name == "nt":
        fail("a Python on Windows cannot connect to its driver; name a Go worker by python= or self in the spec")
    worker = Worker()
    if worker.pid == 0:
        return
    try:
        # No file of the user's stands for a module.
        sys.path[:] = [folder for folder in sys.path if folder]
        sock, conn = connect(*launch[:2])
        introduce(conn, launch[2])
        signal = builtin("_signal", "signal")
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what Ctrl-C means the worker decides
        status = Relay(sock, conn, worker).run()
    except BaseException:
        worker.kill()
        raise
    sys.stderr.flush()
    os._exit(status)


def as_started(names, line):
    """Leave nothing of this program in __main__, and return what the worker begins with."""
    for name in list(names):
        if not name.startswith("__"):
            del names[name]
    return line


main()
exec(as_started(globals(), LINE))
