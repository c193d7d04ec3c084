"""The worker's half of a dial-back (protocol.md section 7.13), in a Python that a launcher started.

It connects to the driver that the variable EXECNET_LAUNCH names, shows that it belongs to the launch,
and starts another Python whose stdin and stdout are the connection. So whatever that one runs, TLS
is spoken here, in a process that does nothing else. Python 2.7 and 3.6 and newer, on Unix.
"""
import os
import sys

sys.path[:] = [folder for folder in sys.path if folder]  # no file of the user's stands for a module

import errno  # noqa: E402
import select  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import subprocess  # noqa: E402
import threading  # noqa: E402

LINE = "import sys;exec(eval(sys.stdin.readline()))"
RANKS = "EXECNET_RANK OMPI_COMM_WORLD_RANK PMIX_RANK PMI_RANK SLURM_PROCID".split()
PATIENCE = 60.0  # seconds for connecting, and for the driver's answer
DRAIN = 10.0  # seconds in which the driver may take the last of what the worker has sent
CHUNK = 1 << 16


def fail(problem):
    sys.exit("execnet: a worker on %s: %s" % (socket.gethostname(), problem))


def connect(address, fingerprint):
    """A TLS connection to the driver, and to nobody else."""
    try:
        import hashlib
        import ssl
        new = hasattr(ssl, "PROTOCOL_TLS_CLIENT")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if new else ssl.PROTOCOL_SSLv23)
    except (ImportError, AttributeError):
        fail("%s has no module ssl that could be used; it needs one to connect to its driver" % sys.executable)
    context.check_hostname = False  # no name counts, but this one certificate
    context.verify_mode = ssl.CERT_NONE
    host, port = address.rsplit(":", 1)
    try:
        plain = socket.create_connection((host.strip("[]"), int(port)), PATIENCE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        conn = context.wrap_socket(plain)
        seen = hashlib.sha256(conn.getpeercert(True)).hexdigest()
    except (EnvironmentError, socket.error):
        problem = "cannot connect to the driver at %s: %s" % (address, sys.exc_info()[1])
        if host.startswith("127.") or host == "[::1]":
            problem += ("; perhaps it waits for no more workers, and that address leads to this machine: "
                        "if the driver runs on another one, write listen=ADDRESS in the spec")
        fail(problem)
    if seen != fingerprint:
        fail("what listens at %s is not the driver: it has another certificate" % address)
    return conn


def introduce(conn, secret):
    """Say the secret, the rank and the node, and wait until the driver takes this worker."""
    rank = [os.environ[name] for name in RANKS if os.environ.get(name, "").isdigit()] + ["-"]
    node = os.environ.get("SLURMD_NODENAME", "-")
    answer = b""
    try:
        conn.sendall(("execnet-launch 1 %s %s %s\n" % (secret, rank[0], node)).encode("ascii"))
        while not answer.endswith(b"\n") and len(answer) < 1000:
            byte = conn.recv(1)
            if not byte:
                break
            answer += byte
    except (EnvironmentError, socket.error):
        fail("the driver has not answered: %s" % sys.exc_info()[1])
    kind, _, reason = answer.partition(b" ")
    if kind != b"ok":
        reason = reason.decode("utf-8", "replace").strip() or "it closed the connection"
        fail("the driver does not take it: " + reason)


class Relay(object):
    """Copies between a connection and a process, until the process has ended.

    Both directions use the connection one at a time, as OpenSSL demands, and never wait with it.
    """

    def __init__(self, conn, worker):
        self.conn, self.worker, self.lock = conn, worker, threading.Lock()
        self.over, self.ended = os.pipe()
        conn.setblocking(False)

    def use(self, operation, argument):
        """The result of an operation of the connection, or None if it has to wait."""
        with self.lock:
            try:
                return operation(argument)
            except EnvironmentError:  # SSLError is one, too
                problem = sys.exc_info()[1]
                if type(problem).__name__ in ("SSLWantReadError", "SSLWantWriteError"):
                    return None
                if problem.errno in (errno.EAGAIN, errno.EWOULDBLOCK) and type(problem).__name__ != "SSLError":
                    return None
                raise

    def from_driver(self):
        stdin = self.worker.stdin.fileno()
        try:
            while True:
                data = self.use(self.conn.recv, CHUNK)
                if data is None:
                    select.select([self.conn], [], [])
                    continue
                if not data:
                    break
                try:
                    while data and stdin is not None:
                        data = data[os.write(stdin, data):]
                except EnvironmentError:
                    stdin = None  # the worker reads no more; the driver is still read, to its end
            self.worker.stdin.close()
            poll = select.poll()
            poll.register(self.conn, 0)  # the connection's end, whether or not anything comes
            poll.poll()
        except Exception:
            pass  # it was reset already
        if self.worker.returncode is None:
            self.worker.kill()  # so a driver kills its worker
        self.worker.stdin.close()

    def from_worker(self):
        stdout = self.worker.stdout.fileno()
        try:
            while stdout in select.select([stdout, self.over], [], [])[0]:
                data = memoryview(os.read(stdout, CHUNK))
                if not len(data):
                    break
                while len(data):
                    sent = self.use(self.conn.send, data)
                    if sent:
                        data = data[sent:]
                    else:
                        select.select([], [self.conn], [])
        except Exception:
            pass  # the other direction sees to it
        self.worker.stdout.close()  # if the driver takes no more, the worker's next write fails

    def run(self):
        reading = threading.Thread(target=self.from_driver)
        writing = threading.Thread(target=self.from_worker)
        for thread in reading, writing:
            thread.daemon = True
            thread.start()
        status = self.worker.wait()
        os.close(self.ended)
        writing.join()
        try:
            with self.lock:
                self.conn.shutdown(socket.SHUT_WR)
        except EnvironmentError:
            pass  # the driver has closed it
        reading.join(DRAIN)  # a connection that is closed before it is read out would be reset
        return status if status >= 0 else 128 - status


def main():
    launch = os.environ.pop("EXECNET_LAUNCH", "").split(",")
    if len(launch) != 3:
        fail("the variable EXECNET_LAUNCH is not set: the launcher has to hand its environment on "
             "(with mpirun: -x EXECNET_LAUNCH)")
    if os.name == "nt":
        fail("a Python on Windows cannot connect to its driver; name a Go worker by python= or self in the spec")
    conn = connect(*launch[:2])
    introduce(conn, launch[2])
    worker = subprocess.Popen(
        [sys.executable, "-u"] + subprocess._args_from_interpreter_flags() + ["-c", LINE],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=True, bufsize=0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # what Ctrl-C means the worker decides
    status = Relay(conn, worker).run()
    sys.stderr.flush()
    os._exit(status)


main()
