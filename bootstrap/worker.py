"""The Python side of a gateway: serves execnet's protocol on a pipe or a socket.

One file for Python 2.7 and for 3.6 and newer. It runs both as text given to exec() and as an
imported module. It only defines things; a caller then calls serve_popen or serve_socket. The
modules imported here are those that an interpreter loads at its start anyway.
"""
import os
import sys
import time

import _struct as struct
from _collections import deque
from _weakref import ref

PY2 = sys.version_info[0] == 2
if PY2:
    import thread as _thread
    from itertools import imap as map
else:
    import _thread
    long = int
text = type(u"")
now = getattr(time, "monotonic", time.time)
allocate = _thread.allocate_lock
unpack_head = struct.Struct("!bii").unpack_from
unpack_item = struct.Struct("!biiBi").unpack_from
unpack_i4 = struct.Struct("!i").unpack_from
unpack_f8 = struct.Struct("!d").unpack_from
pack_i4 = struct.Struct("!ci").pack
pack_int = struct.Struct("!biicic").pack  # header, opcode, value, STOP
pack_text = struct.Struct("!biici").pack  # header, opcode, length

STATUS, RECONFIGURE, GATEWAY_TERMINATE, CHANNEL_EXEC = 0, 1, 2, 3
CHANNEL_DATA, CHANNEL_CLOSE, CHANNEL_CLOSE_ERROR, CHANNEL_LAST_MESSAGE = 4, 5, 6, 7
CODES = ("STATUS RECONFIGURE GATEWAY_TERMINATE CHANNEL_EXEC CHANNEL_DATA CHANNEL_CLOSE "
         "CHANNEL_CLOSE_ERROR CHANNEL_LAST_MESSAGE").split()
INTERRUPT_TEXT = "keyboard-interrupted"
MAIN_THREAD_ONLY_DEADLOCK_TEXT = (
    "concurrent remote_exec would cause deadlock for main_thread_only execmodel")
NO_ENDMARKER_WANTED = object()
ENDMARKER = object()
NOWAIT = (False,)
CHUNK = 65536
LARGE = 4 * CHUNK
ATOMIC = 4096  # a write of up to this many bytes to a pipe is whole or fails whole
GRACE = 0.003  # seconds: when nobody has read for so long, the background thread reads

DEBUG = os.environ.get("EXECNET_DEBUG")
trace = None
if DEBUG:
    def trace(*msg):
        try:
            line = " ".join(map(str, msg)) + "\n"
            if DEBUG == "2":
                sys.stderr.write("[%d] %s" % (os.getpid(), line))
                sys.stderr.flush()
            else:
                if not hasattr(trace, "file"):
                    import tempfile
                    name = "execnet-debug-%d" % os.getpid()
                    trace.file = open(os.path.join(tempfile.gettempdir(), name), "w")
                trace.file.write(line)
                trace.file.flush()
        except Exception:
            pass  # the interpreter is shutting down


# ---- values <-> bytes

class DataFormatError(Exception):
    pass


class DumpError(DataFormatError):
    """A value cannot be serialized."""


class LoadError(DataFormatError):
    """Bytes are not a serialized value."""


def itoa(i):
    """The decimal digits of any int. (Since Python 3.11 str() refuses ints with many digits.)"""
    if -10 ** 600 < i < 10 ** 600:
        return b"%d" % i
    if i < 0:
        return b"-" + itoa(-i)

    def digits(i, n):
        if n <= 600:
            return (b"%d" % i).rjust(n, b"0")
        high, low = divmod(i, 10 ** (n // 2))
        return digits(high, n - n // 2) + digits(low, n // 2)
    return digits(i, i.bit_length() * 30103 // 100000 + 2).lstrip(b"0")


def atoi(s):
    if len(s) <= 600:
        return int(s)
    if s[:1] == b"-":
        return -atoi(s[1:])
    if not s.isdigit():
        raise LoadError("not a number")
    half = len(s) // 2
    return atoi(s[:-half]) * 10 ** half + atoi(s[-half:])


def save(x, write):
    t = type(x)
    if t is int or t is long:
        small = t is int or t is not long
        if -2147483648 <= x <= 2147483647:
            write(pack_i4(b"F" if small else b"G", x))
        else:
            digits = itoa(x)
            write(pack_i4(b"H" if small else b"I", len(digits)))
            write(digits)
    elif t is text:
        raw = x.encode("utf-8")
        write(pack_i4(b"S" if PY2 else b"N", len(raw)))
        write(raw)
    elif t is bytes:
        write(pack_i4(b"M" if PY2 else b"A", len(x)))
        write(x)
    elif x is None:
        write(b"L")
    elif t is bool:
        write(b"R" if x else b"C")
    elif t is float:
        write(struct.pack("!cd", b"D", x))
    elif t is list:
        write(pack_i4(b"K", len(x)))
        for i, item in enumerate(x):
            write(pack_i4(b"F", i))
            save(item, write)
            write(b"P")
    elif t is dict:
        write(b"J")
        for key in x:
            save(key, write)
            save(x[key], write)
            write(b"P")
    elif t in (tuple, set, frozenset):
        for item in x:
            save(item, write)
        write(pack_i4(b"@" if t is tuple else b"O" if t is set else b"E", len(x)))
    elif t is complex:
        write(struct.pack("!cdd", b"T", x.real, x.imag))
    elif t is Channel:
        write(pack_i4(b"B", x.id))
    else:
        raise DumpError("can't serialize %s" % (t,))


def dumps(obj):
    out = []
    try:
        save(obj, out.append)
    except UnicodeError:
        raise DumpError("strings must be utf-8 encodable")
    except RuntimeError:
        raise DumpError("nested too deep, or changed while sent: %s" % sys.exc_info()[1])
    except struct.error:
        raise DumpError("longer than 2147483647")
    out.append(b"Q")
    return b"".join(out)


def loads(data, gateway=None, strconfig=(True, False)):
    """Load one value. It is a stack machine, so nested values need memory but no recursion.

    Lengths are checked before they are used.
    """
    stack = []
    push, pop = stack.append, stack.pop
    pos, size = 0, len(data)
    try:
        while True:
            op = data[pos:pos + 1]
            pos += 1
            if op == b"F" or op == b"G":
                i = unpack_i4(data, pos)[0]
                push(long(i) if op == b"G" else i)
                pos += 4
            elif op == b"P":
                value, key, box = pop(), pop(), stack[-1]
                if type(box) is not dict and (type(box) is not list or key < 0):
                    raise LoadError("misplaced SETITEM")
                box[key] = value
            elif op in (b"N", b"A", b"M", b"S", b"H", b"I"):
                start = pos + 4
                pos = start + unpack_i4(data, pos)[0]
                if not start <= pos < size:
                    raise LoadError("bad length")
                raw = data[start:pos]
                if op == b"S" or op == b"N" and not strconfig[1]:
                    raw = raw.decode("utf-8")
                elif op == b"M" and strconfig[0] and not PY2:
                    raw = raw.decode("latin-1")
                elif op == b"H":
                    raw = atoi(raw)
                elif op == b"I":
                    raw = long(atoi(raw))
                push(raw)
            elif op == b"L":
                push(None)
            elif op == b"R" or op == b"C":
                push(op == b"R")
            elif op == b"D":
                push(unpack_f8(data, pos)[0])
                pos += 8
            elif op == b"T":
                push(complex(unpack_f8(data, pos)[0], unpack_f8(data, pos + 8)[0]))
                pos += 16
            elif op == b"J":
                push({})
            elif op == b"Q":
                break
            elif op in (b"K", b"@", b"O", b"E"):
                n = unpack_i4(data, pos)[0]
                pos += 4
                if n < 0 or n > (size - pos if op == b"K" else len(stack)):
                    raise LoadError("bad length")
                if op == b"K":
                    push([None] * n)
                else:
                    items = stack[len(stack) - n:]
                    del stack[len(stack) - n:]
                    push((tuple if op == b"@" else set if op == b"O" else frozenset)(items))
            elif op == b"B" and gateway is not None:
                push(gateway._channelfactory.new(unpack_i4(data, pos)[0]))
                pos += 4
            else:
                raise LoadError("unknown opcode %r" % op)
    except (LoadError, LookupError, TypeError, ValueError, struct.error):
        raise LoadError("%s at offset %d" % (sys.exc_info()[1], pos))
    if len(stack) != 1 or pos != size:
        raise LoadError("not exactly one value, ends at %d of %d bytes" % (pos, size))
    return stack[0]


# ---- what remote code may import from __main__

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
        name = {"gevent": gevent, "eventlet": eventlet}.get(self.backend, plain)
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
            import_threading()
            _thread.start_new_thread(func, args)

    def fdopen(self, fd, mode, bufsize=1, closefd=True):
        if self.backend == "gevent":
            fileobject = self._module("", "gevent.fileobject", "")
            return fileobject.FileObjectThread(fd, mode, bufsize, closefd=closefd)
        if self.backend == "eventlet":
            return self._module("", "", "eventlet.green.os").fdopen(fd, mode, bufsize)
        import io
        kwargs = {} if "b" in mode else {"encoding": "utf-8"}
        return io.open(fd, mode, bufsize, closefd=closefd, **kwargs)

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


def import_threading(main=[_thread.get_ident()]):
    """Import threading so that its main thread is the process's main thread.

    Before Python 3.13 threading takes the thread that imports it first for the main thread.
    Importing it when the worker starts would cost a noticeable part of the start.
    """
    if "threading" in sys.modules or sys.version_info >= (3, 13):
        return
    import threading
    thread, me = threading._main_thread, _thread.get_ident()
    if me == main[0] or thread.ident != me:
        return
    threading._active.pop(me, None)
    thread._ident = main[0]
    threading._active[main[0]] = thread
    if hasattr(thread, "_native_id"):
        thread._native_id = os.getpid()
    # This lock is held while the thread runs. It must be the main thread's lock, not ours.
    getattr(threading, "_shutdown_locks", set()).discard(thread._tstate_lock)
    thread._tstate_lock = allocate()
    thread._tstate_lock.acquire()


# ---- channels

class RemoteError(Exception):
    """An error that the other side sent as text."""

    def __init__(self, formatted):
        Exception.__init__(self)
        self.formatted = formatted

    def __str__(self):
        return self.formatted

    def __repr__(self):
        return "%s: %s" % (type(self).__name__, self.formatted)

    def warn(self):
        if self.formatted != INTERRUPT_TEXT:
            sys.stderr.write("[%d] Warning: unhandled %r\n" % (os.getpid(), self))


class TimeoutError(IOError):
    """A timeout was reached."""


class Channel(object):
    RemoteError = RemoteError
    TimeoutError = TimeoutError
    _executing = False

    def __init__(self, gateway, id, strconfig):
        self.gateway, self.id, self._strconfig = gateway, id, strconfig
        self._items = deque()  # None as soon as a callback is set
        self._waiters = []
        self._closed = self._receiveclosed = False
        self._remoteerrors = []

    def __repr__(self):
        return "<Channel id=%d %s>" % (self.id, "closed" if self._closed else "open")

    def __del__(self):
        try:
            self.gateway._channelfactory._forget(self.id, self)
            if self._closed:
                for error in self._remoteerrors:
                    error.warn()
            elif self.gateway._pid == os.getpid():  # not in a forked child
                # With a callback the other side may go on sending, but gets nothing from here any
                # more: LAST_MESSAGE. If it has said that it sends nothing more, it may have a
                # callback that waits for the end of what is sent here: CLOSE.
                goes_on = self._items is None and not self._receiveclosed
                self.gateway._post(CHANNEL_LAST_MESSAGE if goes_on else CHANNEL_CLOSE, self.id)
        except Exception:
            pass  # the pipe is closed, or the interpreter is shutting down

    def _getremoteerror(self):
        if self._remoteerrors:
            return self._remoteerrors.pop(0)
        return self.gateway._error

    def _end(self, error=None, sendonly=False):
        """Nothing more will be received. An error is raised after the items that came before it."""
        if error is not None:
            self._remoteerrors.append(error)
        if not sendonly:
            self._closed = True
        self._receiveclosed = True
        items = self._items
        if items is not None:
            items.append(ENDMARKER)
        self.gateway._wake(self._waiters)

    def isclosed(self):
        return self._closed

    def makefile(self, mode="w", proxyclose=False):
        if mode == "w":
            return ChannelFileWrite(self, proxyclose)
        if mode == "r":
            return ChannelFileRead(self, proxyclose)
        raise ValueError("mode %r not available" % (mode,))

    def close(self, error=None):
        if self._executing:
            raise IOError("cannot explicitly close channel within remote_exec")
        if self._closed:
            return
        try:
            if error is None:
                self.gateway._send(CHANNEL_CLOSE, self.id)
            else:
                shown = error if isinstance(error, (bytes, text)) else str(error)
                self.gateway._send(CHANNEL_CLOSE_ERROR, self.id, dumps(shown))
        except IOError:
            # If the other side has not ended the channel, the caller is told that sending failed.
            # Otherwise the other side sends nothing more, or is gone. It is told of the close
            # where that is possible: Python execnet tells it nothing, and its waitclose() would
            # wait for ever.
            if not self._receiveclosed:
                raise
        self._end(error if isinstance(error, RemoteError) else None)
        self.gateway._channelfactory._no_longer_opened(self.id)

    def waitclose(self, timeout=None):
        deadline = None if timeout is None else now() + timeout
        if not self.gateway._wait(lambda: self._receiveclosed, self._waiters, deadline):
            raise self.TimeoutError("Timeout after %r seconds" % timeout)
        error = self._getremoteerror()
        if error:
            raise error

    def send(self, item):
        if self._closed:
            raise IOError("cannot send to %r" % self)
        gateway = self.gateway
        if gateway._fast:
            # The most common items, in one step: a write this small is whole or fails whole.
            t = type(item)
            data = None
            if t is bytes:
                n = len(item)
                if n < ATOMIC - 15:
                    data = pack_text(CHANNEL_DATA, self.id, n + 6, b"A", n) + item + b"Q"
            elif t is text:
                if len(item) < ATOMIC // 4 - 15:
                    try:
                        raw = item.encode()
                    except UnicodeError:
                        raise DumpError("strings must be utf-8 encodable")
                    n = len(raw)
                    data = pack_text(CHANNEL_DATA, self.id, n + 6, b"N", n) + raw + b"Q"
            elif t is int:
                if -2147483648 <= item <= 2147483647:
                    data = pack_int(CHANNEL_DATA, self.id, 6, b"F", item, b"Q")
            if data is not None:
                with gateway._writelock:
                    if not gateway._unsent:
                        try:
                            gateway._syswrite(gateway._wfd, data)
                        except (OSError, ValueError):
                            gateway._cannot_send()
                        data = None
                if data is not None:
                    gateway._write([data])
                elif gateway._unsent:
                    gateway._flush_posted()
                return
        if type(item) is bytes and not PY2:
            head = pack_text(CHANNEL_DATA, self.id, len(item) + 6, b"A", len(item))
            gateway._write([head, item, b"Q"] if len(item) > CHUNK else [head + item + b"Q"])
        else:
            gateway._send(CHANNEL_DATA, self.id, dumps(item))

    def receive(self, timeout=None):
        items = self._items
        if items is None:
            raise IOError("cannot receive(), channel has receiver callback")
        deadline = None if timeout is None else now() + timeout
        while True:
            if items:
                try:
                    x = items.popleft()
                    break
                except IndexError:
                    continue  # another thread took it
            if deadline is None and self.gateway._read_one(self.id, items):
                continue
            if not self.gateway._wait(items.__len__, self._waiters, deadline):
                raise self.TimeoutError("no item after %r seconds" % timeout)
        if x is ENDMARKER:
            items.append(x)  # for other receivers
            self.gateway._wake(self._waiters)
            raise self._getremoteerror() or EOFError()
        return x

    def __iter__(self):
        return self

    def next(self):
        try:
            return self.receive()
        except EOFError:
            pass
        raise StopIteration

    __next__ = next

    def setcallback(self, callback, endmarker=NO_ENDMARKER_WANTED):
        gateway = self.gateway
        with gateway._receivelock:
            items = self._items
            if items is None:
                raise IOError("%r has callback already registered" % self)
            self._items = None
            while items:
                item = items.popleft()
                if item is not ENDMARKER:
                    callback(item)
                elif endmarker is not NO_ENDMARKER_WANTED:
                    callback(endmarker)
            if not (self._closed or self._receiveclosed):
                gateway._callbacks[self.id] = callback, endmarker, self._strconfig

    def reconfigure(self, py2str_as_py3str=True, py3str_as_py2str=False):
        self._strconfig = (py2str_as_py3str, py3str_as_py2str)
        self.gateway._send(RECONFIGURE, self.id, dumps(self._strconfig))


class ChannelFile(object):
    def __init__(self, channel, proxyclose=True):
        self.channel, self._proxyclose = channel, proxyclose
        self._buffer = None

    def isatty(self):
        return False

    def close(self):
        if self._proxyclose:
            self.channel.close()

    def __repr__(self):
        return "<ChannelFile %d %s>" % (
            self.channel.id, "closed" if self.channel.isclosed() else "open")


class ChannelFileWrite(ChannelFile):
    def write(self, out):
        self.channel.send(out)

    def flush(self):
        pass


class ChannelFileRead(ChannelFile):
    def _more(self):
        try:
            item = self.channel.receive()
        except EOFError:
            self.close()
            return False
        self._buffer = item if self._buffer is None else self._buffer + item
        return True

    def _take(self, n):
        if self._buffer is None:
            return ""
        out, self._buffer = self._buffer[:n], self._buffer[n:]
        return out

    def read(self, n):
        while (self._buffer is None or len(self._buffer) < n) and self._more():
            pass
        return self._take(n)

    def readline(self):
        seen = 0
        while True:
            if self._buffer is not None:
                i = self._buffer.find(b"\n" if type(self._buffer) is bytes else u"\n", seen)
                if i >= 0:
                    return self._take(i + 1)
                seen = len(self._buffer)
            if not self._more():
                return self._take(seen)


class ChannelFactory(object):
    """Channels by id, held weakly."""

    def __init__(self, gateway, startcount=2):
        self.gateway, self.count = gateway, startcount
        self.finished = False
        self._refs = {}
        self._strconfigs = {}  # of channels that were reconfigured before they were registered
        self._lock = gateway._newlock()

    def new(self, id=None):
        with self._lock:
            if self.finished:
                raise IOError("connection already closed: %s" % (self.gateway,))
            if id is None:
                id = self.count
                self.count += 2
            channel = self.get(id)
            if channel is None:
                strconfig = self._strconfigs.pop(id, self.gateway._strconfig)
                channel = Channel(self.gateway, id, strconfig)
                self._refs[id] = ref(channel)
            return channel

    def get(self, id):
        found = self._refs.get(id)
        return found and found()

    def channels(self):
        found = [r() for r in list(self._refs.values())]
        return [channel for channel in found if channel is not None]

    _channels = property(lambda self: dict((c.id, c) for c in self.channels()))

    def _forget(self, id, channel):
        found = self._refs.get(id)
        if found is not None and found() in (None, channel):
            self._refs.pop(id, None)

    def _no_longer_opened(self, id):
        self._refs.pop(id, None)
        callback, endmarker, _ = self.gateway._callbacks.pop(id, (None, NO_ENDMARKER_WANTED, 0))
        if endmarker is not NO_ENDMARKER_WANTED:
            callback(endmarker)

    def _local_close(self, id, remoteerror=None, sendonly=False):
        channel = self.get(id)
        if channel is not None:
            channel._end(remoteerror, sendonly)
        elif remoteerror is not None:
            remoteerror.warn()
        self._no_longer_opened(id)


# ---- waiting

class Waiter(object):
    """An event for one waiting thread. It resets itself when wait returns."""

    def __init__(self):
        self._lock = allocate()
        self._lock.acquire()

    def set(self):
        try:
            self._lock.release()
        except (RuntimeError, _thread.error):
            pass  # it is set already

    def wait(self, deadline=None):
        """Return False if the deadline came first."""
        return acquire(self._lock, deadline)


class GreenWaiter(object):
    def __init__(self, execmodel):
        self._event = execmodel.Event()
        self.set = self._event.set

    def wait(self, deadline=None):
        self._event.wait(None if deadline is None else max(0, deadline - now()))
        woken = self._event.is_set()
        self._event.clear()
        return woken


def acquire(lock, deadline=None):
    if deadline is None:
        return lock.acquire()
    if not PY2:
        return lock.acquire(True, min(max(0, deadline - now()), 4000000))
    delay = 0.0005
    while not lock.acquire(False):
        left = deadline - now()
        if left <= 0:
            return False
        delay = min(delay * 2, left, 0.05)
        time.sleep(delay)
    return True


def retrying(func):
    """func, called again when a signal has interrupted it. Python 3 does that by itself."""
    def call(*args):
        while True:
            try:
                return func(*args)
            except (OSError, IOError):
                if sys.exc_info()[1].errno != 4:
                    raise
    return call


class Large(object):
    """A long bytes item. Its bytes are read into the buffer that becomes the item."""

    def __init__(self, id, size, start):
        import io
        self.id, self.size = id, size
        self.item = io.BytesIO()
        self.item.seek(size - 1)
        self.item.write(b"\0")
        self.view = self.item.getbuffer()
        self.view[:len(start)] = start
        self.counts = [len(start)]
        self.tail = memoryview(bytearray(CHUNK))

    def room(self):
        n = sum(self.counts)
        return [self.view[n:], self.tail] if n < self.size else [self.tail]

    def done(self):
        """Whether all of it has been read, including the STOP after it."""
        return sum(self.counts) > self.size

    def take(self):
        if self.tail[0] != 81:
            raise LoadError("no STOP after %d bytes" % self.size)
        self.view.release()
        return self.item.getvalue()

    def rest(self):
        return self.tail[1:sum(self.counts) - self.size].tobytes()


# ---- the gateway

class Gateway(object):
    """Reads messages and does what they ask for.

    The thread that holds _role reads the pipe. A thread that waits in receive() takes the role
    and reads for itself, which saves two thread switches for each message. When nobody has read
    for GRACE seconds, the background thread reads, so that reading never waits for a thread that
    computes. Only the background thread reads if a callback is registered, with greenlets, and on
    Python 2 (_plain).

    A KeyboardInterrupt may come between any two calls. So results that must not get lost are
    stored by the C code that makes them: list.extend(map(func, args)). (Before Python 3.10 an
    interrupt can still come in the one step between taking an item and queueing it.)
    """

    def __init__(self, rfd, wfd, id, execmodel):
        self.id, self.execmodel, self._pid = id, execmodel, os.getpid()
        self._rfd, self._wfd = rfd, wfd
        self._sysread, self._syswrite = os.read, os.write
        self._syswritev = getattr(os, "writev", None)
        if execmodel.green or PY2:
            self._newlock = execmodel.RLock
        else:
            self._newlock = _thread.RLock
        self._newwaiter = (lambda: GreenWaiter(execmodel)) if execmodel.green else Waiter
        self._plain = PY2 or execmodel.green
        self._fast = self._eager = not (self._plain or trace)
        self._large = self._eager and hasattr(os, "readv")
        self._strconfig = (True, False)
        self._error = None
        self._callbacks = {}
        self._receivelock = self._newlock()  # held while messages are dispatched
        self._channelfactory = ChannelFactory(self)
        # writing
        self._writelock = self._newlock()
        self._unsent = deque()  # [parts, written counts] of messages; the first is being written
        self._writing = False
        # reading
        self._role = self._newlock()
        # The bytes read, how many of them are dispatched, the chunks read after them, and the
        # Large item that is being read.
        self._in = b"", 0, [], None
        self._need, self._starved, self._woke = 9, True, False
        self._gen = 0
        self._followers = []
        self._armed = False
        self._background = None
        self._finished = self._done = False
        # executing
        self._running = set()
        self._ending = set()  # channels of executions that have ended and are being closed
        self._tasks = deque()
        self._slot = allocate()  # held while the main thread executes something
        self._waiters = []  # threads that wait for a task or for the end

    def __repr__(self):
        return "<WorkerGateway id=%r>" % (self.id,)

    def _trace(self, *msg):
        if trace:
            trace(self.id, *msg)

    def newchannel(self):
        return self._channelfactory.new()

    def join(self, timeout=None):
        """Wait until the connection and its executions have ended."""
        self._wait(lambda: self._done, self._waiters, None if timeout is None else now() + timeout)

    # -- writing

    def _cannot_send(self):
        error = IOError("cannot send (already closed?)")
        error.__cause__ = sys.exc_info()[1]
        raise error

    def _send(self, msgcode, channelid=0, data=b""):
        head = struct.pack("!bii", msgcode, channelid, len(data))
        self._write([head, data] if len(data) > CHUNK else [head + data])
        if trace:
            self._trace("sent", Message(msgcode, channelid, data))

    def _write(self, parts):
        """Write a message. When this returns, it has been written."""
        with self._writelock:
            self._unsent.append([parts, []])
            if not self._writing:  # otherwise a signal handler calls this in the middle of a write
                self._flush()
        if self._unsent:
            self._flush_posted()

    def _flush(self):
        self._writing = True
        try:
            unsent, fd = self._unsent, self._wfd
            while unsent:
                parts, counts = unsent[0]
                left, done = [], sum(counts)
                for part in parts:
                    if done < len(part):
                        left.append(memoryview(part)[done:] if done else part)
                    done = max(0, done - len(part))
                if not left:
                    unsent.popleft()
                elif len(left) > 1 and self._syswritev:
                    counts.extend(map(self._syswritev, (fd,), (left,)))
                else:
                    counts.extend(map(self._syswrite, (fd,), left[:1]))
        except (OSError, ValueError):
            unsent.clear()
            self._cannot_send()
        finally:
            self._writing = False

    def _post(self, msgcode, channelid, data=b""):
        """Send without waiting. For finalizers and for the reader, which never waits for writes."""
        head = struct.pack("!bii", msgcode, channelid, len(data))
        self._unsent.append([[head + data], []])
        if self._plain or not self._poll(self._wfd, 0, True):
            try:
                self.execmodel.start(self._flush_posted)
            except Exception:
                pass  # there is no thread for it; whoever sends next sends this as well
        else:
            self._flush_posted()

    def _flush_posted(self):
        while self._unsent and self._writelock.acquire(False):
            try:
                if self._writing:
                    return
                self._flush()
            except IOError:
                pass
            finally:
                self._writelock.release()

    # -- reading

    def _poll(self, fd, timeout, write=False):
        """Whether fd is ready within timeout. None if that cannot be found out on this system."""
        try:
            import select
            if hasattr(select, "poll"):
                poll = select.poll()
                poll.register(fd, select.POLLOUT if write else select.POLLIN)
                return bool(poll.poll(max(0, timeout) * 1000))
            return any(select.select([] if write else [fd], [fd] if write else [], [], timeout))
        except (ImportError, IOError, OSError):
            return None

    def _wait(self, ready, waiters, deadline=None, idle=False):
        """Wait until ready(), and read meanwhile if nobody else does. False: deadline passed.

        A waiter with idle set reads only until it has woken another, which then reads for itself.
        """
        me, yielded, follow = None, False, False
        try:
            while not ready():
                # If only the background thread reads, it may be the one that waits here, in a
                # callback. Then it goes on reading from here.
                only = bool(self._plain or self._callbacks)
                background = only and self._role._is_owned() and not (
                    self.execmodel.green and deadline is not None)
                if not (yielded or follow or only and not background or self._finished):
                    held = []
                    try:
                        held.extend(map(self._role.acquire, NOWAIT))
                        if held[0]:
                            state = self._lead(ready, deadline, idle, background)
                            if state == "timeout":
                                return bool(ready())
                            if state == "again":
                                continue
                            yielded, follow = state == "yield", state == "follow"
                    finally:
                        if held and held[0]:
                            self._release_role()
                    if ready():
                        break
                if me is None:
                    me = self._newwaiter()
                    waiters.append(me)
                    if not idle:
                        self._followers.append(me)
                    continue
                yielded = False
                if not me.wait(deadline) and now() >= deadline:
                    return bool(ready())
            return True
        finally:
            if me is not None:
                waiters.remove(me)
                if not idle:
                    self._followers.remove(me)
                self._promote()

    def _read_one(self, id, items):
        """The fast path for request and reply: read exactly one simple item for this channel.

        If something else comes, what was read is kept, and _wait deals with it.
        """
        if self._callbacks or self._plain or self._finished or not self._starved:
            return False
        held = []
        try:
            held.extend(map(self._role.acquire, NOWAIT))
            buf, pos, chunks, large = state = self._in
            if not held[0] or items or chunks or large or pos != len(buf):
                return False
            chunks.extend(map(self._sysread, (self._rfd,), (CHUNK,)))
            self._starved = False
            buf = chunks[0]
            size = len(buf)
            if size < 15:
                return False
            code, channelid, n, op, m = unpack_item(buf)
            if channelid != id or code != CHANNEL_DATA or n != size - 9 or buf[-1] != 81:
                return False
            if op == 65 and m == n - 6:
                item = buf[14:-1]
            elif op == 70 and n == 6:
                item = m
            else:
                return False
            if trace or len(chunks) > 1 or self._in is not state:
                return False
            self._starved = True
            self._in = b"", 0, [], None
            items.append(item)
            return True
        except (OSError, ValueError):
            return False  # the pipe is closed; _wait will find that out
        finally:
            if held and held[0]:
                self._release_role()

    def _release_role(self):
        self._gen += 1
        self._role.release()
        if self._armed:
            self._background.set()
        if self._followers:
            self._promote()

    def _wake(self, waiters):
        for waiter in list(waiters):
            self._woke = True
            waiter.set()

    def _promote(self):
        """Wake another waiter, which checks whether it may read now."""
        for waiter in self._followers[:1]:
            waiter.set()

    def _lead(self, ready, deadline=None, idle=False, background=False):
        """Read and dispatch until ready(). The caller holds the role."""
        try:
            while not self._finished:
                if not self._starved:
                    self._woke = False
                    self._dispatch(background)
                    if ready():
                        break
                if self._callbacks or self._plain:
                    if not background:
                        return "follow"
                elif self._woke and (idle or background) and self._background is not None:
                    self._woke = False
                    return "yield"
                if deadline is not None:
                    readable = self._poll(self._rfd, deadline - now())
                    if not readable:
                        return "follow" if readable is None else "timeout"
                _, _, chunks, large = self._in
                self._starved = False
                try:
                    if large:
                        large.counts.extend(map(os.readv, (self._rfd,), (large.room(),)))
                        at_end = not large.counts[-1]
                    else:
                        chunks.extend(map(self._sysread, (self._rfd,), (CHUNK,)))
                        at_end = not chunks[-1]
                except (OSError, ValueError):
                    at_end = True
                if at_end:
                    while chunks and not chunks[-1]:
                        chunks.pop()
                    if background or not self._callbacks:
                        self._finish(EOFError("couldn't load message header, expected 9 bytes"))
            return "again"
        except BaseException:
            self._starved = False
            for waiter in self._followers + self._waiters:
                waiter.set()  # an interrupt may have come between an item and its wake call
            raise

    def _dispatch(self, background):
        """Handle the messages that have been read completely.

        A signal handler or a callback may read while this runs. Then _in has become another
        tuple, and this goes on from that one.
        """
        with self._receivelock:
            state = None
            while True:
                if self._in is not state:
                    buf, pos, chunks, large = state = self._in
                    if large:
                        if not large.done() or self._callbacks and not background:
                            break
                        after = large.rest(), 0, [], None
                        if self._in is state:
                            self._in = after
                            self._receive_item(large.id, None, large)
                        state = None
                        continue
                    if chunks:
                        count, rest = len(chunks), len(buf) - pos
                        if count == 1 and not rest:
                            joined = chunks[0]
                        elif rest + sum(map(len, chunks)) < self._need:
                            break
                        else:
                            joined = b"".join([buf[pos:]] + chunks)
                        if self._in is not state or len(chunks) != count:
                            state = None
                            continue
                        buf, pos, chunks = joined, 0, []
                        self._in = state = buf, pos, chunks, None
                    size = len(buf)
                    refs, callbacks = self._channelfactory._refs, self._callbacks
                if size - pos < 9 or callbacks and not background or self._finished:
                    self._need = 9
                    break
                code, id, n = unpack_head(buf, pos)
                start = pos + 9
                end = start + n
                if n < 0 or not 0 <= code < 8:
                    self._finish(EOFError("corrupt message header %r" % (buf[pos:start],)))
                    break
                if end > size:
                    self._need = end - pos
                    if LARGE < n < 1000 * LARGE and self._large and size - pos >= 14:
                        _, _, _, op, m = unpack_item(buf, pos)
                        if code == CHANNEL_DATA and op == 65 and m == n - 6 and m > size - pos - 14:
                            self._in = b"", 0, [], Large(id, m, buf[pos + 14:])
                    break
                after = buf, end, chunks, None
                channel = None
                if code == CHANNEL_DATA and self._eager and id not in callbacks:
                    channel = refs.get(id)
                    if channel is not None:
                        channel = channel()
                if channel is None or channel._items is None:
                    data = buf[start:end]
                    if self._in is state:
                        self._in = after
                        self._received(code, id, data)
                    state = None
                    continue
                op = m = 0
                if n >= 6 and buf[end - 1] == 81:
                    _, _, _, op, m = unpack_item(buf, pos)
                if op == 65 and m == n - 6:
                    item = buf[start + 5:end - 1]
                elif op == 70 and n == 6:
                    item = m
                else:
                    try:
                        item = loads(buf[start:end], self, channel._strconfig)
                    except Exception:
                        item = ENDMARKER
                        error = sys.exc_info()[1]
                if self._in is state:
                    self._in = state = after
                    pos = end
                    if item is ENDMARKER:
                        self._bad_item(id, error)
                        continue
                    channel._items.append(item)  # no interrupt is handled since _in was set
                    if channel._waiters:
                        self._wake(channel._waiters)
            self._starved = background or not self._callbacks

    def _bad_item(self, id, error):
        formatted = "%s: %s" % (type(error).__name__, error)
        self._post(CHANNEL_CLOSE_ERROR, id, dumps(formatted))
        self._channelfactory._local_close(id, RemoteError(formatted))

    def _received(self, code, id, data):
        factory = self._channelfactory
        if trace:
            self._trace("[receiver-thread] received", Message(code, id, data))
        if code == CHANNEL_DATA:
            self._receive_item(id, data)
        elif code == CHANNEL_CLOSE:
            factory._local_close(id)
        elif code == CHANNEL_LAST_MESSAGE:
            factory._local_close(id, sendonly=True)
        elif code == GATEWAY_TERMINATE:
            self._finish()
        elif code == STATUS:
            status = {"numchannels": len(factory.channels()), "execmodel": self.execmodel.backend,
                      "numexecuting": len(self._running)}
            self._post(CHANNEL_DATA, id, dumps(status))
            self._post(CHANNEL_CLOSE, id)
        else:
            try:
                value = loads(data, self)
                if code == CHANNEL_EXEC:
                    source, file_name, call_name, kwargs = value
                    channel = factory.new(id)
                    try:
                        self._schedule(channel, value)
                    except Exception:
                        self._not_started(channel)
                elif code == CHANNEL_CLOSE_ERROR:
                    factory._local_close(id, RemoteError(value))
                else:
                    py2str_as_py3str, py3str_as_py2str = value
                    channel = factory.get(id)
                    if id == 0:
                        self._strconfig = value
                    elif channel is not None:
                        channel._strconfig = value
                    else:
                        factory._strconfigs[id] = value
            except (LoadError, TypeError, ValueError):
                self._bad_item(id, sys.exc_info()[1])

    def _not_started(self, channel):
        """End an execution for which there is no thread, and tell the driver why."""
        error = sys.exc_info()[1]
        errortext = "Traceback (most recent call last):\n%s: %s\n" % (type(error).__name__, error)
        self._post(CHANNEL_CLOSE_ERROR, channel.id, dumps(errortext))
        self._channelfactory._local_close(channel.id, RemoteError(errortext))
        self._leave(channel)

    def _receive_item(self, id, data, large=None):
        factory = self._channelfactory
        channel = factory.get(id)
        entry = self._callbacks.get(id)
        if entry is None and (channel is None or channel._items is None):
            return
        try:
            if large is not None:
                item = large.take()
            else:
                item = loads(data, self, entry[2] if entry else channel._strconfig)
        except Exception:
            return self._bad_item(id, sys.exc_info()[1])
        if entry is None:
            channel._items.append(item)
            self._wake(channel._waiters)
            return
        try:
            entry[0](item)
        except Exception:
            if trace:
                self._trace("exception during callback: %s" % (sys.exc_info()[1],))
            errortext = geterrortext()
            self._post(CHANNEL_CLOSE_ERROR, id, dumps(errortext))
            factory._local_close(id, RemoteError(errortext))

    def _finish(self, error=None):
        """The connection has ended: end every channel. A thread then calls _terminate."""
        if self._finished:
            return
        self._trace("finishing receiving", error or "")
        factory = self._channelfactory
        with self._receivelock:
            with factory._lock:
                factory.finished = True
            self._error = error
            for channel in factory.channels():
                factory._local_close(channel.id, sendonly=True)
            for id in list(self._callbacks):
                try:
                    factory._no_longer_opened(id)
                except Exception:
                    self._trace("exception during callback: %s" % (sys.exc_info()[1],))
            self._finished = True
        for waiter in self._followers + self._waiters:
            waiter.set()
        if self._background is not None:
            self._background.set()

    def _read_in_background(self):
        seen = -1
        try:
            while not self._finished:
                if not (self._plain or self._callbacks) and seen != self._gen:
                    seen = self._gen
                    time.sleep(GRACE)
                    continue
                self._armed = True
                if not self._role.acquire(False):
                    self._background.wait()
                    continue
                self._armed = False
                try:
                    self._lead(lambda: False, None, False, True)
                finally:
                    self._release_role()
        finally:
            self._finish()
            self._terminate()

    def _terminate(self):
        self._trace("shutting down execution pool")
        if not self._wait_idle(5.0):
            self._trace("execution ongoing after 5 secs, sending ourselves a SIGINT")
            if sys.platform != "win32":
                os.kill(os.getpid(), 2)
            else:
                _thread.interrupt_main()
            if not self._wait_idle(10.0):
                self._trace("execution did not finish in another 10 secs, calling os._exit()")
                os._exit(1)
        self._wait(lambda: not self._ending, self._waiters, now() + 1)
        self._trace("closing read and write")
        if acquire(self._writelock, now() + 1):  # otherwise a thread hangs in a write
            self._unsent.clear()
            self._fast = False
            self._syswritev, self._syswrite, self._sysread = None, closed, closed
            self._close()
            self._writelock.release()
        self._done = True
        self._wake(self._waiters)

    def _wait_idle(self, seconds):
        return self._wait(lambda: not self._running, self._waiters, now() + seconds)

    def _close(self):
        for fd in set((self._rfd, self._wfd)):
            os.close(fd)

    # -- executing

    def _schedule(self, channel, task):
        model = self.execmodel.backend
        self._running.add(channel)
        if not self.execmodel.green and self._slot.acquire(False):
            self._to_main(channel, task)
        elif model == "main_thread_only":
            _thread.start_new_thread(self._schedule_later, (channel, task))
        else:
            self.execmodel.start(self._execute, (channel, task))

    def _to_main(self, channel, task):
        self._tasks.append((channel, task))
        self._wake(self._waiters)

    def _schedule_later(self, channel, task):
        # The driver cannot know whether the main thread is free after the task before this one.
        if acquire(self._slot, now() + 1):
            self._to_main(channel, task)
        else:
            try:
                channel.close(MAIN_THREAD_ONLY_DEADLOCK_TEXT)
            except IOError:
                pass
            self._leave(channel)

    def _leave(self, channel):
        self._running.discard(channel)
        if self._finished:
            self._wake(self._waiters)

    def serve(self):
        try:
            if self._plain:
                self._start_background()
            while not self.execmodel.green:
                self._wait(lambda: self._tasks or self._finished, self._waiters, None, True)
                if not self._tasks:
                    break
                self._start_background()
                channel, task = self._tasks.popleft()
                self._execute(channel, task, self._slot)
                del channel, task
            if self._background is None:
                self._terminate()
            self.join()
        except KeyboardInterrupt:
            self._trace("swallowing keyboardinterrupt, serve finished")

    def _start_background(self):
        if self._background is None:
            self._background = self._newwaiter()
            if self.execmodel.green:
                self.execmodel.start(self._read_in_background)
            else:
                if PY2:
                    import threading  # noqa: imported first by the main thread
                _thread.start_new_thread(self._read_in_background, ())

    def _execute(self, channel, task, slot=None):
        errortext = None
        try:
            source, file_name, call_name, kwargs = task
            self._trace("execution starts[%s]: %.50r" % (channel.id, source))
            file_name = file_name or "<remote exec>"
            channel._executing = True
            try:
                run(source, file_name, call_name, kwargs, channel)
            finally:
                channel._executing = False
                self._trace("execution finished")
        except KeyboardInterrupt:
            errortext = INTERRUPT_TEXT
        except EOFError:
            pass
        except BaseException:
            if not self._finished:
                errortext = geterrortext(source, file_name)
        # When the driver sees the channel closed, the worker is idle and its main thread is free.
        if slot is not None:
            slot.release()
        self._ending.add(channel)
        self._leave(channel)
        try:
            channel.close(errortext)
        except (IOError, KeyboardInterrupt):
            self._trace("could not tell the end of the execution")
        self._ending.discard(channel)
        if self._finished:
            self._wake(self._waiters)


def closed(*args):
    raise ValueError("closed")


def run(source, file_name, call_name, kwargs, channel):
    if PY2:
        file_name = file_name.encode("utf-8")
        kwargs = dict((str(key), kwargs[key]) for key in kwargs)
        if type(source) is text:
            source = without_cookie(source)
    scope = {"channel": channel, "__name__": "__channelexec__"}
    code = compile(source + "\n", file_name, "exec", 0, True)
    exec(code, scope)
    if call_name:
        scope[call_name](channel, **kwargs)


def without_cookie(source):
    """The source, with its coding cookie spoiled: Python 2 refuses one in a unicode source."""
    import re
    lines = source.split("\n", 2)
    for i, line in enumerate(lines[:2]):
        if re.match(r"[ \t\f]*#.*?coding[:=]", line):
            lines[i] = line.replace("coding", "c0ding")
    return "\n".join(lines)


def geterrortext(source=None, file_name=None):
    """The traceback of the exception being handled, as text, without the frames of this file."""
    import linecache
    import traceback
    kind, exc, tb = sys.exc_info()
    try:
        if source is not None:
            if PY2 and type(source) is text:
                source = source.encode("utf-8")  # the rest of a traceback is bytes in Python 2
            lines = [line + "\n" for line in source.split("\n")]
            linecache.cache[file_name] = len(source), None, lines, file_name
        here = run.__code__.co_filename
        while tb is not None and tb.tb_frame.f_code.co_filename == here:
            tb = tb.tb_next
        out = "".join(traceback.format_exception(kind, exc, tb))
        if tb is None:
            out = "Traceback (most recent call last):\n" + out
    except Exception:
        out = "%s: %s" % (kind.__name__, exc)
    del tb
    if PY2:
        return out if type(out) is text else out.decode("utf-8", "replace")
    return out.encode("utf-8", "backslashreplace").decode("utf-8")


# ---- entries

def use_green_io(gateway):
    """Let the hub of greenlets wait for a descriptor, then read or write without blocking."""
    if gateway.execmodel.backend == "gevent":
        from gevent.socket import wait_read, wait_write
    else:
        from eventlet.hubs import trampoline

        def wait_read(fd):
            trampoline(fd, read=True)

        def wait_write(fd):
            trampoline(fd, write=True)

    def read(fd, n):
        wait_read(fd)
        return os.read(fd, n)

    def write(fd, data):
        wait_write(fd)
        return os.write(fd, memoryview(data)[:ATOMIC])
    gateway._sysread, gateway._syswrite, gateway._syswritev = read, write, None


def duplicate(fd):
    """A copy of a descriptor. Processes that user code starts do not inherit it."""
    fd = os.dup(fd)
    if sys.platform == "win32":
        import msvcrt
        msvcrt.setmode(fd, os.O_BINARY)
    elif PY2:
        import fcntl
        fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.fcntl(fd, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)
    return fd


def serve_popen(id, execmodel="thread", setup={}):
    """Serve on stdin and stdout. Descriptors 0 and 1 then become the null device.

    setup may hold chdir, nice, env, and ahead: messages that are handled as if read first.
    """
    sys.stdout.flush()
    rfd, wfd = duplicate(0), duplicate(1)
    for fd, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY)):
        null = os.open(os.devnull, mode)
        os.dup2(null, fd)
        os.close(null)
    try:
        model = ExecModel(execmodel)
        for name, value in (setup.get("env") or {}).items():
            if PY2 and type(value) is text:
                value = value.encode("utf-8")
            os.environ[name] = value
        if setup.get("nice") and hasattr(os, "nice"):
            os.nice(int(setup["nice"]))
        path = setup.get("chdir")
        if path:
            if not os.path.exists(path):
                os.makedirs(path)
            os.chdir(path)
        gateway = Gateway(rfd, wfd, id, model)
        if setup.get("ahead"):
            gateway._in, gateway._starved = (setup["ahead"], 0, [], None), False
        if model.green:
            use_green_io(gateway)
    except Exception:
        import traceback
        sys.stderr.write("execnet worker %s: cannot set up: %s\n" % (id, sys.exc_info()[1]))
        traceback.print_exc()
        sys.exit(1)
    serve(gateway)


def serve_socket(sock, id, execmodel="thread"):
    """Serve on a connected socket."""
    model = execmodel if isinstance(execmodel, ExecModel) else ExecModel(execmodel)
    sock.setblocking(True)
    try:
        sock.setsockopt(6, 1, 1)  # TCP_NODELAY
    except (IOError, OSError):
        pass
    gateway = Gateway(sock.fileno(), sock.fileno(), id, model)
    gateway._fast = False
    gateway._close = sock.close
    if sys.platform == "win32":
        gateway._sysread = lambda fd, n: sock.recv(n)
        gateway._syswrite = lambda fd, data: sock.send(data)
    elif model.green:
        use_green_io(gateway)
    serve(gateway)


def serve(gateway):
    if PY2:
        gateway._sysread = retrying(gateway._sysread)
        gateway._syswrite = retrying(gateway._syswrite)
    main = sys.modules["__main__"]
    for cls in (Message, Popen2IO):
        if not hasattr(main, cls.__name__):
            setattr(main, cls.__name__, cls)
    try:
        gateway._write([b"1"])
    except (IOError, OSError):
        return  # the driver has given up
    gateway.serve()
