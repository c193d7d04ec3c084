"""Starts an interpreter, or connects to a socket server, and passes bytes between it and a channel.

A worker executes this. The name channel is the io channel; the first item on it is the control
channel. It uses nothing else of the worker, so it works in any worker. Python 2.7 and 3.

"The far end" is the process, or the socket server. These items travel (protocol.md section 9.6):

io, from the driver:     bytes for the far end; None after the last of them
io, to the driver:       bytes from the far end; None after the last of them
control, to the driver:  ("ack", n)                 the far end has taken n more bytes
                         ("stderr", bytes)          what it has written to stderr, if the driver
                                                    wants to see that; otherwise it goes to stderr
                         ("exit", status, stderr)   it has ended: status (None: not known; -n:
                                                    signal n) and the end of what it wrote to stderr
control, from the driver: "kill"

When the io channel ends, the input of the far end is closed. If the far end does not end then, it
is killed.
"""
import errno
import os
import sys

# Times are in seconds. PATIENCE is how long the far end may take to end after its input was closed.
# It is less than the five seconds that a worker waits for its executions before it ends.
PATIENCE = 4.0
# When the process has ended, its output is awaited in steps of LINGER, at most LINGERINGS of them:
# another process may still hold it open.
LINGER = 0.02
LINGERINGS = 50
TAIL = 8192  # how much of the end of stderr is kept
HEAD = 1024  # how much of what came before it: the beginning of the last crash report, or of all
CRASH = (b"(?m)^(?:panic: |fatal error: |runtime: goroutine stack exceeds |unexpected fault address |"
         b"SIG[A-Z]+: |Fatal Python error: )")
ACK = 128 * 1024
PY2 = sys.version_info[0] == 2
# This module's worker imports from the standard library alone: in the user's folder, which is
# searched first, may be a file of the same name.
from_stdlib = __import__


def native(text):
    return text.encode("utf-8") if PY2 else text


def retry(func, *args):
    """Call func again when a signal has interrupted it. Python 3 does that by itself."""
    while True:
        try:
            return func(*args)
        except EnvironmentError:
            if sys.exc_info()[1].errno != errno.EINTR:
                raise


class Descriptors(object):
    """Reads and writes file descriptors. Other greenlets run meanwhile."""

    def __init__(self, execmodel):
        self.chunk = 65536
        self.before_read = self.before_write = lambda fd: None
        if execmodel.backend == "gevent":
            from gevent.socket import wait_read, wait_write
            self.before_read, self.before_write = wait_read, wait_write
            self.chunk = 4096  # a pipe that is ready for writing takes so many bytes
        elif execmodel.backend == "eventlet":
            from eventlet.hubs import trampoline
            self.before_read = lambda fd: trampoline(fd, read=True)
            self.before_write = lambda fd: trampoline(fd, write=True)
            self.chunk = 4096

    def read(self, fd):
        self.before_read(fd)
        return retry(os.read, fd, 65536)

    def write(self, fd, data):
        left = memoryview(data)
        while len(left):
            self.before_write(fd)
            left = left[retry(os.write, fd, left[:self.chunk]):]


class Tail(object):
    """The end of what a process writes to stderr, and its beginning or that of a crash report."""

    def __init__(self, lock):
        self.lock = lock
        self.size = 0  # how much has been written
        self.head, self.rest = b"", b""
        self.crashed = False  # head begins with a crash report
        self.gap = 0  # how many bytes were dropped behind head

    def add(self, data):
        with self.lock:
            self.size += len(data)
            self.rest += data
            if len(self.rest) > 2 * TAIL:
                self.drop()

    def drop(self):
        import re
        n = len(self.rest) - TAIL
        i = self.rest.rfind(b"\n", 0, n) + 1
        if i and n - i < HEAD:
            n = i
        gone, self.rest = self.rest[:n], self.rest[n:]
        begin = last = None
        for match in re.finditer(CRASH, gone):
            if begin is None or match.start() - last >= HEAD:
                begin = match.start()  # those that are close to each other belong to one report
            last = match.start()
        if begin is not None and (not self.crashed or self.gap or begin >= HEAD):
            self.head, self.crashed, self.gap = b"", True, 0
            gone = gone[begin:]
        kept = gone[:HEAD - len(self.head)]
        self.head += kept
        self.gap += len(gone) - len(kept)

    def get(self):
        with self.lock:
            if len(self.rest) > TAIL:
                self.drop()
            if not self.gap:
                return self.head + self.rest
            mark = "\n[... %d bytes are left out here ...]\n" % self.gap
            return self.head + mark.encode("ascii") + self.rest


class Process(object):
    """An interpreter, or the ssh command that runs one elsewhere."""

    def __init__(self, execmodel, interpreter, argv, env, tell):
        """tell gets what the process writes to stderr. None means that it goes to stderr here."""
        if interpreter is not None:
            argv = self.split(interpreter) + argv
        pipe = execmodel.subprocess.PIPE
        if env is not None:
            env = dict(os.environ, **dict((native(key), native(env[key])) for key in env))
        self.process = execmodel.subprocess.Popen(
            [native(arg) for arg in argv], env=env, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe,
            close_fds=os.name == "posix" or not PY2)
        self.fds = Descriptors(execmodel)
        self.tell = tell or (lambda data: self.fds.write(2, data))
        self.tail = Tail(execmodel.Lock())
        self.stderr_ended = execmodel.Event()
        execmodel.start(self.pass_stderr)

    @staticmethod
    def split(command):
        if not command:
            return [sys.executable]
        if os.path.isabs(native(command)) and os.path.isfile(native(command)):
            return [command]
        shlex = from_stdlib("shlex")
        if sys.platform == "win32":
            command = command.replace("\\", "/")
        return [part.decode("utf-8") if PY2 else part for part in shlex.split(native(command))]

    def pass_stderr(self):
        try:
            while True:
                data = self.fds.read(self.process.stderr.fileno())
                if not data:
                    break
                self.tail.add(data)
                try:
                    self.tell(data)
                except EnvironmentError:
                    pass  # self.tail has it
        except (EnvironmentError, ValueError):
            pass
        self.process.stderr.close()
        self.stderr_ended.set()

    def read(self):
        return self.fds.read(self.process.stdout.fileno())

    def write(self, data):
        self.fds.write(self.process.stdin.fileno(), data)

    def close_read(self):
        self.process.stdout.close()

    def close_write(self):
        self.process.stdin.close()

    def kill(self):
        if self.process.returncode is None:
            try:
                self.process.kill()
            except EnvironmentError:
                pass  # it has ended

    def wait(self):
        return retry(self.process.wait)

    def pending(self):
        """Whether there is output that was not read yet."""
        select = from_stdlib("select")
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        try:
            poll.register(self.process.stdout.fileno(), select.POLLIN)
        except ValueError:
            return False  # it is closed
        return any(event & select.POLLIN for _, event in poll.poll(0))

    def last_words(self):
        for _ in range(LINGERINGS):
            seen = self.tail.size
            self.stderr_ended.wait(LINGER)
            if self.stderr_ended.is_set() or self.tail.size == seen:
                break
        return self.tail.get()


class Connection(object):
    """A connection to a socket server."""

    def __init__(self, execmodel, host, port, timeout):
        socket = execmodel.socket
        self.socket = socket.create_connection((native(host), port), timeout)
        self.socket.settimeout(None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ended = execmodel.Event()

    def read(self):
        try:
            data = retry(self.socket.recv, 65536)
        except EnvironmentError:
            data = b""
        if not data:
            self.ended.set()
        return data

    def write(self, data):
        self.socket.sendall(data)

    def close_read(self):
        self.shutdown(0)

    def close_write(self):
        self.shutdown(1)

    def kill(self):
        self.shutdown(2)
        self.ended.set()

    def shutdown(self, how):
        try:
            self.socket.shutdown(how)
        except EnvironmentError:
            pass  # it is closed

    def wait(self):
        self.ended.wait()

    def pending(self):
        return False

    def last_words(self):
        self.socket.close()
        return b""


class Forwarder(object):
    def __init__(self, io, control, far):
        self.io, self.control, self.far = io, control, far
        self.execmodel = io.gateway.execmodel
        self.ended = self.execmodel.Event()
        self.output_ended = self.execmodel.Event()
        self.passed, self.sending = 0, False
        self.jobs_ended = []

    def run(self):
        """Pass bytes until the far end has ended, then report how it ended."""
        for job in (self.pass_input, self.pass_output, self.obey):
            self.jobs_ended.append(self.execmodel.Event())
            self.execmodel.start(self.run_job, (job, self.jobs_ended[-1]))
        try:
            status = self.far.wait()
        except BaseException:  # this execution is interrupted
            self.far.kill()
            self.report(self.far.wait())
            raise
        self.report(status)

    def run_job(self, job, ended):
        try:
            job()
        finally:
            ended.set()

    def report(self, status):
        """Wait until no more of the far end's output comes, then tell the driver how it ended."""
        if status is None:
            self.far.kill()  # a connection, which has no status; this closes it
        self.ended.set()
        quiet = 0
        for _ in range(LINGERINGS):
            passed = self.passed
            self.output_ended.wait(LINGER)
            if self.output_ended.is_set() or quiet == 2:
                break
            busy = self.sending or passed != self.passed or self.far.pending()
            quiet = 0 if busy else quiet + 1
        self.control.send((u"exit", status, self.far.last_words()))
        # The driver closes both channels now, which ends the three jobs.
        for ended in self.jobs_ended:
            ended.wait(PATIENCE / 4)

    def pass_input(self):
        taken, open = 0, True
        try:
            while True:
                data = self.io.receive()
                if data is None:
                    break
                try:
                    if open:
                        self.far.write(data)
                except (EnvironmentError, ValueError):
                    open = False  # it is ending
                taken += len(data)
                if taken >= ACK:
                    self.control.send((u"ack", taken))
                    taken = 0
        except (EnvironmentError, EOFError):
            pass
        self.close_input()
        try:
            self.io.receive()
        except (EnvironmentError, EOFError):
            pass
        if not self.ended.is_set():
            self.ended.wait(PATIENCE)
            self.far.kill()

    def close_input(self):
        try:
            self.far.close_write()
        except EnvironmentError:
            pass  # it has ended, with input left

    def pass_output(self):
        try:
            while True:
                data = self.far.read()
                if not data:
                    break
                self.sending = True
                self.io.send(data)
                self.passed += 1
                self.sending = False
            self.io.send(None)
        except (EnvironmentError, ValueError):
            pass  # the driver takes no more
        self.far.close_read()
        self.output_ended.set()

    def obey(self):
        try:
            while self.control.receive() == "kill":
                self.far.kill()
        except (EnvironmentError, EOFError):
            pass


def forward(channel, connect):
    global from_stdlib
    from_stdlib = getattr(channel.gateway, "_from_stdlib", from_stdlib)
    control = channel.receive()
    try:
        Forwarder(channel, control, connect(channel.gateway.execmodel, control)).run()
    finally:
        try:
            control.close()
        except EnvironmentError:
            pass  # the connection has ended


def forward_process(channel, interpreter, argv, env=None, stderr=False):
    def connect(execmodel, control):
        tell = (lambda data: control.send((u"stderr", data))) if stderr else None
        return Process(execmodel, interpreter, argv, env, tell)
    forward(channel, connect)


def forward_self(channel, argv, mark, env=None, stderr=False):
    # A worker in Go starts its own program here, and says so as the script in argv does.
    forward_process(channel, None, argv, env, stderr)


def forward_connection(channel, host, port, timeout):
    forward(channel, lambda execmodel, _: Connection(execmodel, host, port, timeout))
