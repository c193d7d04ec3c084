# Classes that remote code may import from __main__ or find at channel.gateway, as with execnet.


class Message(object):
    """One message. The forwarder of Python execnet (its module gateway_io) uses this class."""

    def __init__(self, msgcode, channelid=0, data=b""):
        self.msgcode, self.channelid, self.data = msgcode, channelid, data

    @staticmethod
    def from_io(io):
        code, channelid, size = struct.unpack("!bii", io.read(9))
        return Message(code, channelid, io.read(size))

    def to_io(self, io):
        io.write(struct.pack("!bii", self.msgcode, self.channelid, len(self.data)) + self.data)

    def __repr__(self):
        return "<Message %s channel=%d lendata=%d>" % (
            CODES[self.msgcode], self.channelid, len(self.data))


for _code, _name in enumerate(CODES):
    setattr(Message, _name, _code)


class Popen2IO(object):
    """Exact reads and flushed writes on two binary files, for execnet's module gateway_io."""

    error = (IOError, OSError, EOFError)

    def __init__(self, outfile, infile, execmodel):
        self.outfile, self.infile, self.execmodel = outfile, infile, execmodel

    def read(self, numbytes):
        data = b""
        while len(data) < numbytes:
            more = self.infile.read(numbytes - len(data))
            if not more:
                raise EOFError("expected %d bytes, got %d" % (numbytes, len(data)))
            data += more
        return data

    def write(self, data):
        self.outfile.write(data)
        self.outfile.flush()

    def close_read(self):
        self.infile.close()

    def close_write(self):
        self.outfile.close()


class ExecModel(object):
    """Threads, or the greenlets of gevent or eventlet, with their locks, queues and modules."""

    def __init__(self, backend):
        if backend not in ("thread", "main_thread_only", "gevent", "eventlet"):
            raise ValueError("unknown execmodel %r" % (backend,))
        self.backend = backend
        self.green = backend in ("gevent", "eventlet")

    def __repr__(self):
        return "<ExecModel %r>" % self.backend

    def _module(self, plain, gevent, eventlet):
        if not self.green:
            return stdlib(plain)
        name = {"gevent": gevent, "eventlet": eventlet}[self.backend]
        __import__(name)
        return sys.modules[name]

    queue = property(lambda self: self._module(
        "Queue" if PY2 else "queue", "gevent.queue", "eventlet.queue"))
    subprocess = property(lambda self: self._module(
        "subprocess", "gevent.subprocess", "eventlet.green.subprocess"))
    socket = property(lambda self: self._module(
        "socket", "gevent.socket", "eventlet.green.socket"))
    _locks = property(lambda self: self._module(
        "threading", "gevent.lock", "eventlet.green.threading"))

    def get_ident(self):
        return self._module(_thread.__name__, "gevent.thread", "eventlet.green.thread").get_ident()

    def sleep(self, delay):
        self._module("time", "gevent", "eventlet").sleep(delay)

    def start(self, func, args=()):
        if self.backend == "gevent":
            self._module("", "gevent", "").spawn(func, *args)
        elif self.backend == "eventlet":
            self._module("", "", "eventlet").spawn_n(func, *args)
        else:
            try:
                import_threading()
            except Exception:
                pass  # whoever needs the module gets the error; this thread does not
            start_thread(func, args)

    def fdopen(self, fd, mode, bufsize=1, closefd=True):
        if self.backend == "gevent":
            fileobject = self._module("", "gevent.fileobject", "")
            return fileobject.FileObjectThread(fd, mode, bufsize, closefd=closefd)
        if self.backend == "eventlet":
            return self._module("", "", "eventlet.green.os").fdopen(fd, mode, bufsize)
        io = stdlib("io")
        kwargs = {} if "b" in mode else {"encoding": "utf-8"}
        return io.open(fd, mode, bufsize, closefd=closefd, **kwargs)

    def call_soon(self, func):
        """Have the hub of greenlets call func, in no greenlet of a user."""
        if self.backend == "gevent":
            self._module("", "gevent", "").get_hub().loop.run_callback(func)
        else:
            self._module("", "", "eventlet.hubs").get_hub().schedule_call_global(0, func)

    def PopenPiped(self, args):  # used by gateway_io of execnet 1.x
        pipe = self.subprocess.PIPE
        return self.subprocess.Popen(args, stdin=pipe, stdout=pipe)

    def Lock(self):
        return self._locks.RLock()

    RLock = Lock

    def Event(self):
        if self.backend == "gevent":
            return self._module("", "gevent.event", "").Event()
        return self._locks.Event()


def import_threading():
    """Import threading so that its main thread is the process's main thread.

    Before Python 3.13 threading takes the thread that imports it first for the main thread.
    Importing it when the worker starts would cost a noticeable part of the start.
    """
    if "threading" in sys.modules or sys.version_info >= (3, 13):
        return
    threading = stdlib("threading")
    thread, me = threading._main_thread, _thread.get_ident()
    if me == MAIN or thread.ident != me:
        return
    threading._active.pop(me, None)
    thread._ident = MAIN
    threading._active[MAIN] = thread
    if hasattr(thread, "_native_id"):
        thread._native_id = getpid()
    # This lock is held while the thread runs. It must be the main thread's lock, not ours.
    getattr(threading, "_shutdown_locks", set()).discard(thread._tstate_lock)
    thread._tstate_lock = allocate()
    thread._tstate_lock.acquire()
