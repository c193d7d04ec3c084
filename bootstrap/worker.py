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
# These are bound here because gevent and eventlet replace them in their modules.
now, sleep = getattr(time, "monotonic", time.time), time.sleep
allocate, start_thread = _thread.allocate_lock, _thread.start_new_thread
unpack_head = struct.Struct("!bii").unpack_from
unpack_item = struct.Struct("!biiBi").unpack_from
unpack_i4 = struct.Struct("!i").unpack_from
unpack_f8 = struct.Struct("!d").unpack_from
pack_i4 = struct.Struct("!ci").pack
pack_head = struct.Struct("!bii").pack
pack_int = struct.Struct("!biicic").pack  # header, opcode, value, STOP
pack_text = struct.Struct("!biici").pack  # header, opcode, length

STATUS, RECONFIGURE, GATEWAY_TERMINATE, CHANNEL_EXEC = 0, 1, 2, 3
CHANNEL_DATA, CHANNEL_CLOSE, CHANNEL_CLOSE_ERROR, CHANNEL_LAST_MESSAGE = 4, 5, 6, 7
CODES = ("STATUS RECONFIGURE GATEWAY_TERMINATE CHANNEL_EXEC CHANNEL_DATA CHANNEL_CLOSE "
         "CHANNEL_CLOSE_ERROR CHANNEL_LAST_MESSAGE").split()
INTERRUPT_TEXT = "keyboard-interrupted"
SERVE_CALLS = "execnet/calls.py", "serve_calls"  # the program that asks for a channel for calls
MAIN_THREAD_ONLY_DEADLOCK_TEXT = (
    "concurrent remote_exec would cause deadlock for main_thread_only execmodel")
MAIN = _thread.get_ident()  # the thread in which signal handlers run
NO_ENDMARKER_WANTED = object()
ENDMARKER = object()
WINDOW_ITEM = 8
NOWAIT = (False,)
CHUNK = 65536
LARGE = 4 * CHUNK
ATOMIC = 4096  # a write of up to this many bytes to a pipe is whole or fails whole
GRACE = 0.003  # seconds: when nobody has read for so long, the background thread reads
# A worker that has a process of its own is gone so many seconds after the end of its stream, at the
# latest: LEAVE if a thread of it can run, by os._exit, else KILL, by a signal.
LEAVE = 18.0
KILL = 19.0
# The same behind a Go worker that has died, and so has not sent GATEWAY_TERMINATE: it would have
# died together with this process if both were one.
LEAVE_BEHIND = 1.0
KILL_BEHIND = 2.0
REST = 0 if PY2 else 5.0  # seconds: how long a thread waits for another call
# So many bytes of items that nobody has received may wait for each channel, where both ends know
# that (protocol.md section 5.7). After PATIENCE seconds in which the other end has taken nothing it
# is sent as much again.
WINDOW = 1 << 24
PATIENCE = 5.0
ANY = 1 << 62  # bytes
MAX_COST = int(os.environ.get("EXECNET_MAX_COST") or 24)  # the memory of an item, in times its size

DEBUG = os.environ.get("EXECNET_DEBUG")
trace = None
if DEBUG:
    def trace(*msg):
        try:
            line = " ".join(map(str, msg)) + "\n"
            if DEBUG == "2":
                tell("[%d] %s" % (os.getpid(), line))
            else:
                trace_to_file(line)
        except Exception:
            pass  # the interpreter is shutting down

    def trace_to_file(line, state={}):
        """Write to a file with the name that execnet gives to its own.

        When remote code imports execnet, that opens the same file anew, and empties it. From then
        on both write to it through execnet's file object, which begins with the first line again:
        it says whose file this is.
        """
        if not state:
            name = "execnet-debug-%d" % os.getpid()
            folder = stdlib("tempfile").gettempdir()
            state.update(file=open(os.path.join(folder, name), "w"), first=line)
        theirs = getattr(sys.modules.get("execnet.gateway_base"), "debugfile", None)
        if theirs not in (None, state["file"]):
            state["file"] = theirs
            if line is not state["first"]:
                theirs.write(state["first"])
        state["file"].write(line)
        state["file"].flush()


# ---- imports

STDLIB = [os.path.dirname(os.__file__)] + [
    folder for folder in sys.path if os.path.basename(folder) in ("lib-dynload", "DLLs")]
private = {}


class StdlibFinder(object):
    """Makes the imports of some threads find modules of the standard library first."""

    threads = set()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if path is None and _thread.get_ident() in cls.threads:
            return sys.modules["_frozen_importlib_external"].PathFinder.find_spec(name, STDLIB)


def in_stdlib(file):
    return not file or os.path.dirname(file) in STDLIB or any(
        file.startswith(folder + os.sep) and "site-packages" not in file for folder in STDLIB)


def stdlib(name):
    """A module of the standard library, imported from there with all that it imports itself.

    An import statement looks into the user's folder first (with python -c it is sys.path[0]). A
    file token.py there would be taken for the module that traceback needs. And if this left the
    standard library's token in sys.modules, the user's source could not import its own.
    """
    module = sys.modules.get(name)
    if module is not None and in_stdlib(getattr(module, "__file__", None)):
        if not PY2:
            __import__(name)  # it may be that another thread is still importing it
        return module
    if name not in private:
        before = set(sys.modules)
        private[name] = (import_stdlib_2 if PY2 else import_stdlib)(name, module)
        imported = set(sys.modules) - before
        hidden = [new for new in imported if not in_stdlib(usual_file(new))
                  and in_stdlib(getattr(sys.modules.get(new), "__file__", None))]
        for new in imported:
            if new.split(".")[0] in hidden:
                sys.modules.pop(new, None)
    return private[name]


def import_stdlib(name, users):
    """users is the user's own module of that name, if the source has imported it."""
    if StdlibFinder not in sys.meta_path:
        sys.meta_path.insert(0, StdlibFinder)  # it stays, since other threads may walk the list
    me = _thread.get_ident()
    StdlibFinder.threads.add(me)
    try:
        if users is None:
            __import__(name)
            return sys.modules[name]
        spec = StdlibFinder.find_spec(name)
        module = sys.modules["_frozen_importlib"].module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        StdlibFinder.threads.discard(me)


def import_stdlib_2(name, users):
    import imp
    imp.acquire_lock()  # no other thread imports meanwhile
    path, sys.path = sys.path, STDLIB
    sys.modules.pop(name, None)
    try:
        return __import__(name)
    finally:
        if users is not None:
            sys.modules[name] = users
        sys.path = path
        imp.release_lock()


def usual_file(name):
    """The file that an import statement would find, None if that cannot be said."""
    if "." in name or name in sys.builtin_module_names:
        return None
    try:
        if not PY2:
            return sys.modules["_frozen_importlib_external"].PathFinder.find_spec(name).origin
        import imp
        f, file, _ = imp.find_module(name)
        if f:
            f.close()
        return file
    except (ImportError, AttributeError):
        return None


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
            digits = itoa(x) if x.bit_length() <= MAX_BITS else b""
            if not 0 < len(digits) - (x < 0) <= MAX_DIGITS:
                raise DumpError
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
    elif t.__name__ in BY_NAME and t is not BY_NAME[t.__name__]:
        save(BY_NAME[t.__name__](x), write)
    elif type(getattr(write, "__self__", None)) is Answer and is_a(x, "numpy", "ndarray") and x.ndim:
        write.__self__.save_array(x)
    else:
        raw = buffer_of(x)
        write(pack_i4(b"A", len(raw)))
        write(raw)


def buffer_of(x, copy=True):
    """The bytes of an object that has the buffer protocol, in the order of its items.

    Without copy they may be a view of its memory.
    """
    if PY2 and isinstance(x, (bytes, text)):
        raise DumpError  # a subclass, which is text to others
    try:
        view = memoryview(x)
    except (ValueError, BufferError):
        raise DumpError(str(sys.exc_info()[1]))
    except TypeError:
        try:
            return bytes(buffer(x))  # Python 2 has an old protocol besides: array.array, mmap
        except (NameError, TypeError):
            raise DumpError
    if not view.ndim:
        raise DumpError  # a number of numpy or ctypes, which should not become bytes by mistake
    if "O" in "".join(view.format.split(":")[::2]):  # between colons are the names of fields
        raise DumpError("it holds pointers to objects")
    if not copy and not PY2 and view.c_contiguous and view.nbytes:
        try:
            return view.cast("B")
        except (TypeError, ValueError):
            pass  # its items have a byte order or fields
    return view.tobytes()


MAX_DIGITS, MAX_BITS = 4300, 14285  # of an int: Python 3.11 and later load no longer one
MAX_SIZE = 2147483647
# Python execnet chooses by the name of a type. So it takes numpy.bool, which is called bool.
BY_NAME = dict((t.__name__, t) for t in (
    bool, int, long, float, complex, bytes, text, list, tuple, dict, set, frozenset))


def dumps(obj):
    out = []
    try:
        save(obj, out.append)
        out.append(b"Q")
        if sum(map(len, out)) <= MAX_SIZE:
            return b"".join(out)
        path, problem = "", "it takes more than %d bytes" % MAX_SIZE
    except (DumpError, UnicodeError, RuntimeError, struct.error):
        problem = str(sys.exc_info()[1])
        path, problem = find_fault(obj, problem)
    if len(path) > 200:
        path = path[:100] + "..." + path[-100:]
    raise DumpError("can't serialize %s: %s" % (path or "the value", problem))


def find_fault(obj, problem):
    """The path to the first part of a value that cannot be sent, and why it cannot.

    A value that cannot be sent is searched once more: remembering the path while values are saved
    would cost time for all those that can.
    """
    path, containers, levels = [], [], [iter([("", obj)])]
    try:
        while levels:
            for step, x in levels[-1]:
                path.append(step)
                if any(x is outer for outer in containers):
                    return "".join(path), "the value contains itself"
                fault = fault_of(x)
                if fault:
                    return "".join(path), fault
                if type(x) in (list, tuple, dict, set, frozenset):
                    containers.append(x)
                    levels.append(steps_into(x))
                    break
                path.pop()
            else:
                levels.pop()
                if levels:
                    containers.pop()
                    path.pop()
            if len(levels) > sys.getrecursionlimit():
                return "".join(path), "nested too deep"
    except RuntimeError:
        problem = sys.exc_info()[1]
    return "", "nested too deep, or changed while it is sent: %s" % problem


def steps_into(x):
    """The members of a container, each after its step of a path."""
    if type(x) in (list, tuple):
        for i, item in enumerate(x):
            yield "[%d]" % i, item
    elif type(x) is dict:
        for key in x:
            yield "[%s]" % shown(key), key
            yield "[%s]" % shown(key), x[key]
    else:
        for item in x:
            yield "{%s}" % shown(item), item


def shown(x):
    try:
        if type(x) in (str, text):
            marks = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
            out = '"%s"' % "".join([marks.get(c, c) for c in x])
            out = out.encode("utf-8") if PY2 and type(out) is text else out
        else:
            out = repr(x)
    except Exception:
        out = "<%s>" % type(x).__name__
    return out if len(out) <= 60 else out[:60] + "..."


def fault_of(x):
    """Why x cannot be sent, whatever is in it. None if it can."""
    t = type(x)
    if t is int or t is long:
        if x.bit_length() > MAX_BITS or len(itoa(abs(x))) > MAX_DIGITS:
            return "an int of more than %d digits" % MAX_DIGITS
    elif t is text:
        try:
            size = len(x.encode("utf-8"))
        except UnicodeError:
            return "the string is not valid UTF-8: %s" % sys.exc_info()[1]
        if size > MAX_SIZE:
            return "a string of %d bytes is too long" % size
    elif t is bytes or t in (list, tuple, set, frozenset):
        if len(x) > MAX_SIZE:
            return "%d %s are too many" % (len(x), "bytes" if t is bytes else "items")
    elif not (x is None or t in (bool, float, complex, dict, Channel) or t.__name__ in BY_NAME):
        try:
            size = len(buffer_of(x, copy=False))
        except DumpError:
            why = str(sys.exc_info()[1])
            return "%s cannot be sent%s" % (t, why and ": " + why)
        if size > MAX_SIZE:
            return "%d bytes are too many" % size


TOO_COSTLY = ("takes more memory than %d times its size and 1 MiB (set EXECNET_MAX_COST to allow more),"
              % MAX_COST)


# Opcodes as data[i] has them: ints, or strings in Python 2.
(OP_A, OP_B, OP_C, OP_D, OP_F, OP_G, OP_H, OP_I, OP_J, OP_K, OP_L, OP_M, OP_N, OP_O, OP_P, OP_Q, OP_R,
 OP_S, OP_T, OP_TUPLE) = b"ABCDFGHIJKLMNOPQRST@"
SIZED, COUNTED = tuple(b"NAMSHI"), tuple(b"K@OE")


def loads(data, gateway=None, strconfig=(True, False)):
    """Load one value. It is a stack machine, so nested values need memory but no recursion.

    Lengths are checked before they are used. room is how much memory the value may still take. It
    is reduced by what costs many times its bytes: dicts, sets, channels, and the lengths of lists.
    """
    stack = []
    push, pop = stack.append, stack.pop
    pos, size = 0, len(data)
    room = 1048576 + MAX_COST * size
    try:
        while True:
            op = data[pos]
            pos += 1
            if op == OP_F or op == OP_G:
                i = unpack_i4(data, pos)[0]
                push(long(i) if op == OP_G else i)
                pos += 4
            elif op == OP_P:
                value, key, box = pop(), pop(), stack[-1]
                if type(box) is not dict and (type(box) is not list or key < 0):
                    raise LoadError("misplaced SETITEM")
                box[key] = value
            elif op in SIZED:
                start = pos + 4
                pos = start + unpack_i4(data, pos)[0]
                if not start <= pos < size:
                    raise LoadError("bad length")
                raw = data[start:pos]
                if op == OP_S or op == OP_N and not strconfig[1]:
                    raw = raw.decode("utf-8")
                elif op == OP_M and strconfig[0] and not PY2:
                    raw = raw.decode("latin-1")
                elif op == OP_H:
                    raw = atoi(raw)
                elif op == OP_I:
                    raw = long(atoi(raw))
                push(raw)
            elif op == OP_L:
                push(None)
            elif op == OP_R or op == OP_C:
                push(op == OP_R)
            elif op == OP_D:
                push(unpack_f8(data, pos)[0])
                pos += 8
            elif op == OP_T:
                push(complex(unpack_f8(data, pos)[0], unpack_f8(data, pos + 8)[0]))
                pos += 16
            elif op == OP_J:
                room -= 160
                if room < 0:
                    raise LoadError(TOO_COSTLY)
                push({})
            elif op == OP_Q:
                break
            elif op in COUNTED:
                n = unpack_i4(data, pos)[0]
                pos += 4
                if n < 0 or n > (size - pos if op == OP_K else len(stack)):
                    raise LoadError("bad length")
                room -= 8 * n if op == OP_K else 0 if op == OP_TUPLE else 240
                if room < 0:
                    raise LoadError(TOO_COSTLY)
                if op == OP_K:
                    push([None] * n)
                else:
                    items = stack[len(stack) - n:]
                    del stack[len(stack) - n:]
                    push((tuple if op == OP_TUPLE else set if op == OP_O else frozenset)(items))
            elif op == OP_B and gateway is not None:
                room -= 1200
                if room < 0:
                    raise LoadError(TOO_COSTLY)
                channel = gateway._channelfactory.new(unpack_i4(data, pos)[0])
                push(channel._object[0] if channel._object else channel)
                pos += 4
            else:
                raise LoadError("unknown opcode %r" % data[pos - 1:pos])
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
            complain("Warning: unhandled %s:" % type(self).__name__, self.formatted)


class TimeoutError(IOError):
    """A timeout was reached."""


class Taken(int):
    """Stands in a channel's queue in front of an item: so many bytes have come up to that item."""
    __slots__ = ()


class Channel(object):
    RemoteError = RemoteError
    TimeoutError = TimeoutError
    _executing = False
    _object = ()  # or what the driver has a handle of, alone in a tuple
    # What the other end takes (see send): bytes sent, those it has said it has taken, how often it
    # has said so, how many more than these may be sent, what is sent up to then, and whether only
    # the other end changes that.
    _sent = _confirmed = _heard = 0
    _window, _limit, _firm = 0, ANY, False
    # What is taken here: bytes that have come, those that the other end knows to be taken, and how
    # many may have come until it is told, or a Taken is queued.
    _arrived = _told = 0

    def __init__(self, gateway, id, strconfig):
        self.gateway, self.id, self._strconfig = gateway, id, strconfig
        self._items = deque()  # None as soon as a callback is set
        self._waiters = []
        self._closed = self._receiveclosed = False
        self._remoteerrors = []
        self._next = gateway._quarter

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
        self._close(error)

    def _close(self, error=None, about=None):
        """close(error), also of an execution. about is what describe() tells of an exception."""
        if self._closed:
            return
        try:
            if error is None:
                self.gateway._send(CHANNEL_CLOSE, self.id)
            else:
                shown = error if isinstance(error, (bytes, text)) else str(error)
                payload = dumps((shown, about) if about else shown)
                self.gateway._send(CHANNEL_CLOSE_ERROR, self.id, payload)
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
        with Lifted(self.gateway, (self.id,)):
            if not self.gateway._wait(lambda: self._receiveclosed, self._waiters, deadline):
                raise self.TimeoutError("Timeout after %r seconds" % timeout)
        error = self._getremoteerror()
        if error:
            raise error

    def send(self, item):
        if self._closed or self._sent >= self._limit:
            self._await_room()
        gateway = self.gateway
        if gateway._fast:
            # The most common items, in one step: a write this small is whole or fails whole.
            t = type(item)
            data = None
            if t is bytes:
                n = len(item)
                if n < ATOMIC - 15:
                    self._sent += n + 6
                    data = pack_text(CHANNEL_DATA, self.id, n + 6, b"A", n) + item + b"Q"
            elif t is text:
                if len(item) < ATOMIC // 4 - 15:
                    try:
                        raw = item.encode()
                    except UnicodeError:
                        raw = None
                    if raw is None:
                        dumps(item)  # raises the error, which has no cause
                    n = len(raw)
                    self._sent += n + 6
                    data = pack_text(CHANNEL_DATA, self.id, n + 6, b"N", n) + raw + b"Q"
            elif t is int:
                if -2147483648 <= item <= 2147483647:
                    self._sent += 6
                    data = pack_int(CHANNEL_DATA, self.id, 6, b"F", item, b"Q")
            if data is not None:
                return gateway._write_small(data)
        t, raw = type(item), None
        if t is bytes:
            raw = None if PY2 else item
        elif not (item is None or t is Channel or t.__name__ in BY_NAME):
            try:
                # What a signal handler sends inside a write is only queued.
                raw = buffer_of(item, copy=gateway._writing)
            except DumpError:
                pass  # dumps raises it, with a text
        if raw is not None and len(raw) <= MAX_SIZE - 6:
            self._sent += len(raw) + 6
            head = pack_text(CHANNEL_DATA, self.id, len(raw) + 6, b"A", len(raw))
            gateway._write([head, raw, b"Q"] if len(raw) > CHUNK else [head + raw + b"Q"])
        else:
            data = dumps(item)
            self._sent += len(data)
            gateway._send(CHANNEL_DATA, self.id, data)

    def _await_room(self):
        """Wait until the other end has taken enough for another item (protocol.md section 5.7).

        A thread that reads never waits, as in a callback.
        """
        gateway = self.gateway
        if not (self._closed or gateway._finished or gateway._role._is_owned()):
            with Lifted(gateway, gateway._windows):
                while self._sent >= self._limit and not (self._closed or gateway._finished):
                    before = self._heard
                    if not gateway._wait(lambda: self._heard != before or self._closed or gateway._finished,
                                         self._waiters, None if self._firm else now() + PATIENCE):
                        self._confirmed += self._window
                        self._limit = self._confirmed + self._window
        if self._closed:
            raise IOError("cannot send to %r" % self)

    def _queue(self, item, size):
        """Append an item that has come, of so many bytes."""
        self._arrived += size
        if self._arrived < self._next:
            self._items.append(item)
        else:
            self._items.extend((Taken(self._arrived), item))
            self._much_came()

    def _much_came(self):
        """Tell the other end of the window, and how much of it is taken if all of it counts."""
        gateway = self.gateway
        self._next = self._arrived + gateway._quarter
        gateway._windows.add(self.id)
        lifted = any(self.id in lifted.ids for lifted in list(gateway._lifting))
        if lifted or not self._told:
            self._tell(self._arrived if lifted else 0)
        if self._arrived - self._told >= WINDOW and not gateway._watching:
            gateway._watching = True
            try:
                if gateway.execmodel.green:
                    gateway.execmodel.start(gateway._watch)
                else:
                    start_thread(gateway._watch, ())
            except Exception:
                gateway._watching = False  # there is no thread for it

    def _tell(self, taken, window=WINDOW):
        """Tell the other end how much of what it has sent is taken.

        Two threads may do so at the same time, and tell it twice. Then it sends somewhat more.
        """
        n = max(0, taken - self._told)
        self._told += n
        if not self._receiveclosed:
            self.gateway._post(CHANNEL_DATA, 0, dumps((WINDOW_ITEM, self.id, n, window, False)))

    def _has_taken(self, n, window, firm):
        """The other end has taken n bytes more."""
        self._confirmed = min(self._confirmed + n, self._sent)
        self._heard += 1
        self._window, self._firm = window, firm
        self._limit = self._confirmed + window if window else ANY
        self.gateway._wake(self._waiters)

    def receive(self, timeout=None, buffer=False):
        """Return the next item. With buffer, bytes come as a memoryview that can be written to.

        A long one is then the memory into which it was read. (Python execnet has no such argument.)
        """
        items = self._items
        if items is None:
            raise IOError("cannot receive(), channel has receiver callback")
        deadline = None if timeout is None else now() + timeout
        while True:
            if items:
                try:
                    x = items.popleft()
                except IndexError:
                    continue  # another thread took it
                if x.__class__ is Taken:
                    self._tell(x)
                    continue
                break  # no call, and so no interrupt, may come between this and try
            if deadline is None and self.gateway._read_one(self.id, items, self):
                continue
            if not self.gateway._wait(items.__len__, self._waiters, deadline):
                raise self.TimeoutError("no item after %r seconds" % timeout)
        if x is ENDMARKER:
            items.append(x)  # for other receivers
            self.gateway._wake(self._waiters)
            raise self._getremoteerror() or self._eof()
        try:
            if x.__class__ is Large:
                return x.view if buffer else x.take()
            return memoryview(bytearray(x)) if buffer and x.__class__ is bytes else x
        except BaseException:
            items.appendleft(x)  # an interrupt: the next receive returns it
            self.gateway._wake(self._waiters)
            raise

    def _eof(self):
        """The EOFError for the end of the items. One of its own channel ends an execution in order.

        receive() must not have it in a variable: its frame would keep itself alive.
        """
        error = EOFError()
        error.channelid = self.id
        return error

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
                if type(item) is Taken:
                    continue
                if item is not ENDMARKER:
                    callback(item.take() if type(item) is Large else item)
                elif endmarker is not NO_ENDMARKER_WANTED:
                    callback(endmarker)
            if not (self._closed or self._receiveclosed):
                gateway._callbacks[self.id] = callback, endmarker, self._strconfig
                if self.id in gateway._windows:
                    self._tell(self._arrived, 0)  # from now on everything is taken when it comes

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


class Locked(object):
    """Attributes for locks. eventlet.monkey_patch() replaces locks that it finds in a __dict__.

    It finds them from the modules of remote code, and does not know that another thread has one.
    """
    __slots__ = "_lock", "_receivelock", "_writelock", "_role"


class ChannelFactory(Locked):
    """Channels by id, held weakly."""

    def __init__(self, gateway, startcount=2):
        self.gateway, self.count = gateway, startcount
        self.finished = False
        self._refs = {}
        self._strconfigs = {}  # of channels that were reconfigured before they were registered
        self._sending = {}  # the channels whose other end sends no more, and still takes items
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
        self._sending.pop(id, None)
        # This is called by a finalizer, so it must not wait. If another thread has the lock, it may
        # be replacing the reference. One that refers to nothing may also stay.
        if self._lock.acquire(False):
            try:
                found = self._refs.get(id)
                if found is not None and found() in (None, channel):
                    self._refs.pop(id, None)
            finally:
                self._lock.release()

    def _no_longer_opened(self, id):
        self._refs.pop(id, None)
        self._strconfigs.pop(id, None)
        self._sending.pop(id, None)
        self.gateway._windows.discard(id)
        self.gateway._served.pop(id, None)
        self.gateway._release(id)
        callback, endmarker, _ = self.gateway._callbacks.pop(id, (None, NO_ENDMARKER_WANTED, 0))
        if endmarker is not NO_ENDMARKER_WANTED:
            callback(endmarker)

    def _local_close(self, id, remoteerror=None, sendonly=False):
        channel = self.get(id)
        if channel is not None:
            channel._end(remoteerror, sendonly)
        elif remoteerror is not None:
            remoteerror.warn()
        try:
            self._no_longer_opened(id)
            if channel is not None and sendonly and not channel._closed:
                self._sending[id] = ref(channel)
            if self.gateway._forked:
                self.gateway._end_forked()
        except BaseException:
            if self.gateway._forked:
                self.gateway._end_forked(sys.exc_info()[1])
            # The channel has ended at the other side, too: nobody there can be told.
            complain("callback of channel %d failed at its endmarker:" % id, geterrortext())


# ---- waiting

class Lifted(object):
    """With it a thread waits for what the other end may do only when it has sent more.

    Meanwhile what comes on the channels with these ids counts as taken.
    """

    def __init__(self, gateway, ids):
        self.gateway, self.ids = gateway, ids

    def __enter__(self):
        gateway = self.gateway
        gateway._lifting.append(self)
        for id in gateway._windows.intersection(self.ids):
            channel = gateway._channelfactory.get(id)
            if channel is not None:
                channel._tell(channel._arrived)

    def __exit__(self, *_):
        self.gateway._lifting.remove(self)


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


class GreenLock(object):
    """A reentrant lock for greenlets of all threads: those of gevent and eventlet are for one."""

    def __init__(self, execmodel):
        import greenlet
        self._getcurrent, self._sleep = greenlet.getcurrent, execmodel.sleep
        self._lock, self._owner, self._depth = allocate(), None, 0

    def acquire(self, blocking=True, timeout=-1):
        me, deadline = self._getcurrent(), now() + timeout
        if self._owner is not me:
            while not self._lock.acquire(False):
                if not blocking or 0 <= timeout and deadline <= now():
                    return False
                self._sleep(GRACE)
            self._owner = me
        self._depth += 1
        return True

    def release(self):
        self._depth -= 1
        if not self._depth:
            self._owner = None
            self._lock.release()

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self.release()


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
        sleep(delay)
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


def poll_fd(fd, timeout, write=False):
    """Whether fd is ready within timeout. None if that cannot be found out on this system."""
    try:
        select = stdlib("select")
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(fd, select.POLLOUT if write else select.POLLIN)
            return bool(poll.poll(max(0, timeout) * 1000))
        return any(select.select([] if write else [fd], [fd] if write else [], [], timeout))
    except (ImportError, IOError, OSError):
        return None


class Large(object):
    """A long bytes item. Its bytes are read into the buffer that becomes the item.

    It waits in a channel's queue in place of the item. Of its tail only the STOP is left then, in a
    buffer still: the frame that a signal handler has interrupted may be about to read into it.
    """

    largest = 0  # of the sizes so far

    def __init__(self, id, size, start):
        import io
        self.id, self.size = id, size
        if Large.largest < size < 16 << 20:
            # glibc gives memory back to the system at once if more is free than twice the largest
            # block that has been freed. Items of this size would then be made of new pages each.
            Large.largest = size
            try:
                bytes(2 * size)  # costs nothing: its pages are not touched
            except MemoryError:
                pass
        self.item = io.BytesIO()
        self.item.seek(size - 1)
        self.item.write(b"\0")
        self.view = self.item.getbuffer()
        self.view[:len(start)] = start
        self.counts = [len(start)]
        self.tail = memoryview(bytearray(CHUNK))

    def __iter__(self):
        return self

    def __next__(self):
        """Where the next bytes go to. readv is called with that before anything else can run."""
        if self.done():
            raise StopIteration
        n = sum(self.counts)
        return [self.view[n:], self.tail] if n < self.size else [self.tail]

    def done(self):
        """Whether all of it has been read, including the STOP after it."""
        return sum(self.counts) > self.size

    def whole(self):
        return self.tail[0] == 81

    def take(self):
        if not self.whole():
            raise LoadError("no STOP after %d bytes" % self.size)
        self.view.release()
        return self.item.getvalue()

    def rest(self):
        return self.tail[1:sum(self.counts) - self.size].tobytes()


def make_reserve():
    """Memory to give back when it is short. It costs nothing: the system provides it when used."""
    return b"\0" * (1 << 19) if PY2 else bytes(2 << 20)


class OfTheParent(object):
    """Stands for the locks of a gateway in a process that remote code has forked.

    Whatever uses the connection takes one of them first. It belongs to the parent: if the child
    wrote, frames would be torn, and if it read, the parent would miss messages. And a thread that
    held the true lock when the process was forked does not exist in the child.
    """

    def acquire(self, *args):
        raise OSError("a forked child cannot use the channels of its parent (process %d)"
                      % os.getppid())

    __enter__ = _is_owned = acquire

    def __exit__(self, *args):
        pass


class Refused(object):
    """The rest of a message for which there is no memory. It is read and dropped."""

    def __init__(self, id, size):
        self.id, self.size, self.counts = id, size, []

    def left(self):
        self.counts[:] = [sum(self.counts)]
        return min(self.size - self.counts[0], ATOMIC)

    def done(self):
        return sum(self.counts) >= self.size

    def rest(self):
        return b""

    take = None  # never called: the channel has ended by then


# ---- the gateway

class WorkerGateway(Locked):
    """Reads messages and does what they ask for.

    The thread that holds _role reads the pipe. A thread that waits in receive() takes the role
    and reads for itself, which saves two thread switches for each message. When nobody has read
    for GRACE seconds, the background thread reads, so that reading never waits for a thread that
    computes. Only the background thread reads if a callback is registered, with greenlets, and on
    Python 2 (_plain).

    A KeyboardInterrupt may come between any two calls. So results that must not get lost are
    stored by the C code that makes them: list.extend(map(func, args)). (Before Python 3.10 an
    interrupt can still come in the one step between taking an item and queueing it.)

    A signal handler may receive while its thread reads. See _take_over.
    """

    def __init__(self, rfd, wfd, id, execmodel):
        self.id, self.execmodel, self._pid = id, execmodel, os.getpid()
        self._forked = False  # whether this is a child that remote code has forked
        self._rfd, self._wfd = rfd, wfd
        self._spare = set()  # descriptors that _rfd was before: see _take_over
        self._sysread, self._syswrite = os.read, os.write
        self._syswritev = getattr(os, "writev", None)
        # _newlock makes locks that are held only as long as it takes to do something, also with
        # greenlets: whoever waits for one keeps its thread from running others.
        self._newlock = stdlib("threading").RLock if PY2 else _thread.RLock
        newgreenlock = execmodel.RLock if execmodel.green else self._newlock
        self._newwaiter = (lambda: GreenWaiter(execmodel)) if execmodel.green else Waiter
        self._plain = PY2 or execmodel.green
        self._fast = self._eager = not (self._plain or trace)
        self._large = self._eager and hasattr(os, "readv")
        self._strconfig = (True, False)
        self._error = None
        self._errors = False  # whether the driver knows errors with more than their text
        self._output = None  # an Output, if the driver wants to see what is printed
        self._quarter = ANY  # of WINDOW, if the driver knows windows
        self._windows = set()  # the ids of the channels of whose windows it has been told
        self._lifting = []  # the Lifted of threads
        self._watching = False  # whether _watch runs
        self._leads = False  # whether a thread reads because it waits for something of its own
        self._callbacks = {}
        self._receivelock = newgreenlock()  # held while messages are dispatched
        self._channelfactory = ChannelFactory(self)
        # writing
        self._writelock = GreenLock(execmodel) if execmodel.green else self._newlock()
        self._unsent = deque()  # [parts, written counts] of messages; the first is being written
        self._writing = False
        # reading
        self._role = newgreenlock()
        # The bytes read, how many of them are dispatched, the chunks read after them, and the
        # Large item that is being read.
        self._in = b"", 0, [], None
        self._need, self._starved, self._woke = 9, True, False
        self._gen = 0
        self._shortage = 0  # when memory was short first, lately
        self._reserve = make_reserve()  # so that the driver can be told of a shortage
        self._followers = []
        self._armed = False
        self._background = None
        self._finished = self._done = False
        # executing
        self._running = set()
        self._ending = set()  # channels of executions that have ended and are being closed
        self._tasks = deque()  # what the main thread does next
        # calls
        self._served = {}  # the channels for calls, by id
        self._newest = None  # the id of the latest of them
        self._held = {}  # the channels that have objects, by id
        self._calls = deque()  # calls that wait for a thread, and executions for the main thread
        self._late = set()  # the channels of such executions
        self._resting, self._starting = [], False  # Waiters of threads that wait for a call
        # The thread of each call and each execution that runs, by its key: the number of the call,
        # or minus the id of the channel.
        self._threads = {}
        self._interrupted = set()  # the keys of those that shall end
        self._interrupting = set()  # the threads that interrupt something
        self._unborn, self._postponed = set(), []  # see _start
        self._current = _thread.get_ident
        if execmodel.green:
            import greenlet
            self._current = greenlet.getcurrent
        # ending
        self._alone = False  # whether this process is there for this gateway alone
        self._behind = False  # whether the far end is a Go worker, which only dies without a word
        self._orphaned = False  # whether it has died
        self._watchdog = self._leaving = None
        self._slot = allocate()  # held while the main thread executes something
        self._waiters = []  # threads that wait for a task or for the end

    def __repr__(self):
        return "<WorkerGateway id=%r>" % (self.id,)

    def _trace(self, *msg):
        if trace:
            trace(self.id, *msg)

    _from_stdlib = staticmethod(stdlib)

    def newchannel(self):
        return self._channelfactory.new()

    def _adapt(self, setup):
        """Note what the driver understands beyond execnet's protocol. No channel is there yet."""
        self._errors = setup.get("errors")
        self._quarter = WINDOW >> 2 if self._errors else ANY

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
        if trace:
            self._trace("sending", Message(msgcode, channelid, data))
        self._write([head, data] if len(data) > CHUNK else [head + data])

    def _write_small(self, data):
        """Write a message of up to ATOMIC bytes, where _fast is set."""
        with self._writelock:
            if not self._unsent:
                try:
                    self._syswrite(self._wfd, data)
                except (OSError, ValueError):
                    self._cannot_send()
                data = None
        if data is not None:
            self._write([data])
        elif self._unsent:
            self._flush_posted()

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
                try:
                    if not left:
                        unsent.popleft()
                    elif len(left) > 1 and self._syswritev:
                        counts.extend(map(self._syswritev, (fd,), (left,)))
                    else:
                        counts.extend(map(self._syswrite, (fd,), left[:1]))
                except OSError:
                    # In Python 2 a signal interrupts it. A function that tried again could itself
                    # be interrupted, and would lose how much it had written.
                    if sys.exc_info()[1].errno != 4:
                        raise
        except (OSError, ValueError):
            unsent.clear()
            self._cannot_send()
        finally:
            self._writing = False

    def _post(self, msgcode, channelid, data=b""):
        """Send without waiting. For finalizers and for the reader, which never waits for writes.

        A finalizer runs in any thread and at any moment, also while this thread holds locks.
        """
        head = struct.pack("!bii", msgcode, channelid, len(data))
        self._unsent.append([[head + data], []])
        # A pipe that is ready for writing takes one small message without making us wait.
        small = len(self._unsent) == 1 and len(data) < ATOMIC - 9
        if self._plain or not small or not self._poll(self._wfd, 0, True):
            try:
                self._flush_later()
            except Exception:
                self._flush_posted()  # there is no thread for it
        else:
            self._flush_posted()

    def _flush_later(self):
        self.execmodel.start(self._flush_posted)

    def _flush_in_time(self, deadline):
        """Wait until what has been posted is written, and no longer than until deadline."""
        try:
            if self._unsent:
                self._flush_later()
            while self._unsent and now() < deadline:
                self.execmodel.sleep(0.001)
        except Exception:
            pass  # there is no thread for it

    def _stop_flushing(self):
        pass

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

    _poll = staticmethod(poll_fd)

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
                    nested = self._role._is_owned()
                    try:
                        held.extend(map(self._role.acquire, NOWAIT))
                        if held[0] and not ready():
                            if nested and self._sysread is os.read:
                                self._take_over()
                                background = background or self._plain
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
                if self._interrupted and PY2:
                    for _ in range(200):
                        pass  # an exception for this thread is raised after up to 100 steps
            return True
        finally:
            if me is not None:
                waiters.remove(me)
                if not idle:
                    self._followers.remove(me)
                self._promote()

    def _read_one(self, id, items, channel=None):
        """The fast path for request and reply: read exactly one simple item for this channel.

        If something else comes, what was read is kept, and _wait deals with it. Without channel it
        is one for calls, and the item is the whole message as bytes.
        """
        if self._callbacks or self._plain or self._finished or not self._starved or self._role._is_owned():
            return False
        held, fd = [], self._rfd
        try:
            held.extend(map(self._role.acquire, NOWAIT))
            buf, pos, chunks, large = state = self._in
            if not held[0] or items or chunks or large or pos != len(buf):
                return False
            self._leads = channel is not None
            self._starved = False  # before: a handler may come as soon as something is read
            try:
                chunks.extend(map(self._sysread, (fd,), (CHUNK,)))
            except MemoryError:
                return False
            buf = chunks[0]
            size = len(buf)
            if size < 15:
                return False
            code, channelid, n, op, m = unpack_item(buf)
            if channelid != id or code != CHANNEL_DATA or n != size - 9 or buf[-1] != 81:
                return False
            if channel is None:
                if b"B" in buf:
                    return False  # it may name channels, which must be made before more is read
                item = buf
            elif op == 65 and m == n - 6:
                item = buf[14:-1]
            elif op == 70 and n == 6:
                item = m
            else:
                return False
            if trace or len(chunks) > 1 or self._in is not state:
                return False
            self._in = b"", 0, [], None
            self._starved = True
            items.append(item)
            if channel is not None:
                channel._arrived += n
                if channel._arrived >= channel._next:
                    channel._much_came()
                    channel._tell(channel._arrived)
            return True
        except (OSError, ValueError):
            return False  # the pipe is closed; _wait will find that out
        finally:
            if fd != self._rfd:
                self._spare.add(fd)
            if held and held[0]:
                self._release_role()

    def _take_over(self):
        """Begin to read in a signal handler that may have interrupted this thread's reading.

        The interrupted system call begins again when the handler returns, with the same descriptor
        and buffer. What it waited for may have come by then, and then it must not wait; and what it
        read would come to the wrong place. So the handler reads from a copy of the descriptor, and
        puts the null device in place of the other one. The interrupted code sees that _rfd and _in
        have changed, and goes on from those. (On Windows no signal interrupts a read.)

        Before Python 3.11 a handler can also come between looking at _in and changing it. So from
        the first one on only the background thread reads there, which no handler interrupts.
        """
        if sys.version_info < (3, 11) and _thread.get_ident() == MAIN:
            self._start_background()
            self._plain = True
        null, new = os.open(os.devnull, os.O_RDONLY), None
        try:
            new = self._spare.pop() if self._spare else os.dup(self._rfd)
            while True:  # another handler may interrupt this one
                fd, state = self._rfd, self._in
                os.dup2(fd, new, False)
                buf, pos, chunks, large = state
                copy = buf, pos, chunks[:], large
                if self._in is state and self._rfd == fd:
                    self._in = copy
                    self._rfd = new
                    os.dup2(null, fd, False)
                    break
        finally:
            os.close(null)

    def _release_role(self):
        self._gen += 1
        self._leads = False
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
        fd = self._rfd
        self._leads = not (idle or background)
        try:
            while not self._finished:
                if fd != self._rfd:
                    self._spare.add(fd)
                    fd = self._rfd
                    self._starved = False  # a handler may have received what this waits for
                if not self._starved:
                    self._woke = False
                    self._dispatch(background)
                    if self._finished or ready():
                        break
                if self._callbacks or self._plain:
                    if not background:
                        return "follow"
                elif self._woke and (idle or background) and self._background is not None:
                    self._woke = False
                    return "yield"
                if deadline is not None:
                    readable = self._poll(fd, deadline - now())
                    if not readable:
                        return "follow" if readable is None else "timeout"
                _, _, chunks, large = self._in
                self._starved = short = False
                try:
                    if isinstance(large, Refused):
                        read = map(self._sysread, (fd,), (large.left(),))
                        large.counts.extend(map(len, read))
                        at_end = not large.counts[-1]
                    elif large:
                        # Many reads in one step, if nothing is to be done between them.
                        times = 64 if deadline is None else 1
                        large.counts.extend(map(os.readv, (fd,) * times, large))
                        at_end = not large.counts[-1]
                    else:
                        chunks.extend(map(self._sysread, (fd,), (CHUNK,)))
                        at_end = not chunks[-1]
                except MemoryError:
                    short = True
                except (OSError, ValueError):
                    at_end = True
                if short:
                    del chunks, large
                    self._refuse_message()
                elif at_end and fd == self._rfd:
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
        finally:
            if fd != self._rfd:
                self._spare.add(fd)

    def _dispatch(self, background):
        """Handle the messages that have been read completely."""
        while True:
            try:
                return self._dispatch_messages(background)
            except MemoryError:
                pass  # it refers to frames, which refer to what was read
            if PY2:
                sys.exc_clear()
            self._refuse_message()

    def _refuse_message(self):
        """Drop the first message, for which there is no memory, and end its channel.

        What has come of it is in _in. What has not is read and dropped by and by.
        """
        self._reserve = None
        buf, pos, chunks, large = self._in
        have = len(buf) - pos + sum(map(len, chunks))
        if large or have < 9:
            # Nothing can be dropped. Others may free memory soon.
            if now() - self._shortage > 10:
                self._shortage = now()
            elif now() - self._shortage > 1:
                out_of_memory()
            return time.sleep(0.02)
        head = b"".join([buf[pos:pos + 9]] + [chunk[:9] for chunk in chunks[:9]])
        code, id, n = unpack_head(head)
        left = n + 9
        if have < left:
            self._in = b"", 0, [], Refused(id, left - have)
        else:
            while left > len(buf) - pos:
                left -= len(buf) - pos
                buf, pos, chunks = chunks[0], 0, chunks[1:]
            self._in = buf, pos + left, chunks, None
        del buf, chunks
        error = MemoryError("no memory for a message of %d bytes" % n)
        if code in (CHANNEL_DATA, CHANNEL_EXEC):
            self._bad_item(id, error)
        elif code == CHANNEL_CLOSE_ERROR:
            self._channelfactory._local_close(id, RemoteError("MemoryError: %s" % error))
        else:
            out_of_memory()
        try:
            self._reserve = make_reserve()
        except MemoryError:
            pass

    def _dispatch_messages(self, background):
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
                        channel = self._channelfactory.get(large.id)
                        queue = None
                        if channel is not None and channel._items is not None and large.whole():
                            stop, n = memoryview(bytearray(b"Q")), channel._arrived + large.size + 6
                            queue = (large,) if n < channel._next else (Taken(n), large)
                        if self._in is state:
                            self._in = after
                            if queue is None:
                                self._receive_item(large.id, None, large)
                            else:
                                # No interrupt is handled since _in was set.
                                large.tail = stop
                                channel._items.extend(queue)
                                channel._arrived = n
                                if n >= channel._next:
                                    channel._much_came()
                                self._wake(channel._waiters)
                        state = channel = queue = None
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
                            after = b"", 0, [], Large(id, m, buf[pos + 14:])
                            if self._in is state:
                                self._in = after
                    break
                after = buf, end, chunks, None
                channel = None
                if code == CHANNEL_DATA and self._eager and id not in callbacks:
                    channel = refs.get(id)
                    if channel is not None:
                        channel = channel()
                if channel is None or channel._items is None:
                    data = buf[start:end]
                    if code == CHANNEL_EXEC:
                        # From here on it receives, also what a handler reads before the execution.
                        channel = self._channelfactory.new(id)
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
                taken = None
                if channel._arrived + n >= channel._next:
                    taken = Taken(channel._arrived + n)
                if self._in is state:
                    self._in = state = after
                    pos = end
                    if item is ENDMARKER:
                        self._bad_item(id, error)
                        continue
                    # No interrupt is handled since _in was set.
                    if taken is None:
                        channel._items.append(item)
                        channel._arrived += n
                    else:
                        channel._items.extend((taken, item))
                        channel._arrived += n
                        channel._much_came()
                    if channel._waiters:
                        self._wake(channel._waiters)
            self._starved = background or not self._callbacks

    def _bad_item(self, id, error=None):
        """End a channel for which something cannot be done, and tell the driver why."""
        try:
            formatted = "%s: %s" % (type(error).__name__, error) if error else geterrortext()
            about = None if error else self._about()
            try:
                payload = dumps((formatted, about) if about else formatted)
            except DumpError:
                payload = dumps(formatted)
            self._post(CHANNEL_CLOSE_ERROR, id, payload)
            self._channelfactory._local_close(id, RemoteError(formatted))
        except MemoryError:
            out_of_memory()

    def _received(self, code, id, data):
        factory = self._channelfactory
        if trace:
            self._trace("[receiver-thread] received", Message(code, id, data))
        if code == CHANNEL_DATA:
            return self._receive_item(id, data)
        try:
            if code == CHANNEL_CLOSE:
                factory._local_close(id)
            elif code == CHANNEL_LAST_MESSAGE:
                factory._local_close(id, sendonly=True)
            elif code == GATEWAY_TERMINATE:
                self._finish()
            elif code == STATUS:
                channels = len(factory.channels()) - len(self._served)
                running = len(self._running)
                status = {"numchannels": channels, "execmodel": self.execmodel.backend,
                          "numexecuting": running}
                self._post(CHANNEL_DATA, id, dumps(status))
                self._post(CHANNEL_CLOSE, id)
            elif code == CHANNEL_EXEC:
                source, file_name, call_name, kwargs = value = loads(data, self)
                channel = factory.new(id)
                if (file_name, call_name) == SERVE_CALLS:
                    return self._serve_calls(channel)
                try:
                    self._schedule(channel, value)
                except Exception:
                    self._not_started(channel)
            elif code == CHANNEL_CLOSE_ERROR:
                factory._local_close(id, RemoteError(loads(data, self)))
            else:
                py2str_as_py3str, py3str_as_py2str = value = loads(data, self)
                channel = factory.get(id)
                if id == 0:
                    self._strconfig = value
                elif channel is not None:
                    channel._strconfig = value
                else:
                    factory._strconfigs[id] = value
        except Exception:
            self._bad_item(id, sys.exc_info()[1])
        except BaseException:
            # An interrupt, which belongs to who reads. But this message is lost with it.
            if id:
                self._running.discard(factory.get(id))
                self._bad_item(id)
            raise

    def _not_started(self, channel, task=()):
        """End an execution or a call for which there is no thread, and tell the driver why."""
        if len(task) == 2:
            self._post(CHANNEL_DATA, channel.id, self._failed(task[0]))
            return self._leave(task[0], task[0])
        self._running.discard(channel)
        self._bad_item(channel.id)
        self._leave(channel)

    def _receive_item(self, id, data, large=None):
        factory = self._channelfactory
        channel = factory.get(id)
        entry = self._callbacks.get(id)
        if entry is None and (channel is None or channel._items is None):
            if id == 0:
                self._receive_aside(data)
            elif id in self._served and data:
                self._request(channel, data)
            return
        try:
            if large is not None:
                item = large.take()
            else:
                item = loads(data, self, entry[2] if entry else channel._strconfig)
        except Exception:
            return self._bad_item(id, sys.exc_info()[1])
        if entry is None:
            channel._queue(item, len(data) if large is None else large.size + 6)
            self._wake(channel._waiters)
            return
        try:
            entry[0](item)
            if self._forked:
                self._end_forked()
        except BaseException:
            if self._forked:
                self._end_forked(sys.exc_info()[1])
            if trace:
                self._trace("exception during callback: %s" % (sys.exc_info()[1],))
            self._bad_item(id)

    def _receive_aside(self, data):
        """Take what the driver says it has taken of what this process has sent."""
        try:
            item = loads(data)
            if type(item) is tuple:
                kind, id, n, window, firm = item
                factory = self._channelfactory
                channel = factory.get(id)
                if channel is None and id in factory._sending:
                    channel = factory._sending[id]()
                # What cannot be is dropped: it could only harm the driver's own channels.
                if channel is not None and kind == WINDOW_ITEM and min(n, window) >= 0:
                    channel._has_taken(int(n), int(window), bool(firm))
            elif self._output:
                self._output.confirmed(item)
        except Exception:
            self._trace("got an item aside that cannot be:", sys.exc_info()[1])

    def _watch(self):
        """Look after windows that are full.

        If something is taken, the driver is told, so that it does not run out of patience with a
        slow reader. If nothing is for a second, what a thread waits for on another channel may be
        what the driver does next, when it has sent everything. So if one wait lasts, the driver may
        send as much again each time.
        """
        seen, states = (), {}
        try:
            while not self._finished:
                self.execmodel.sleep(0.2)
                channels = map(self._channelfactory.get, list(self._windows))
                full = [c for c in channels if c is not None and c._arrived - c._told >= WINDOW]
                if not full:
                    break
                waits = set(self._followers)
                if self._leads:
                    waits.add(self._gen)
                for channel in full:
                    waiting = len(channel._items or ())
                    before, idle = states.get(channel.id, (-1, 0))
                    if waiting < before:
                        idle = 0
                        channel._tell(0)
                    elif idle < 5:
                        idle += 1
                    elif waits.intersection(seen):
                        channel._tell(channel._arrived)
                    states[channel.id] = waiting, idle
                seen = waits
        except Exception:
            pass  # the interpreter is shutting down
        self._watching = False

    def _about(self):
        """What describe() tells of the exception being handled. None if that is not asked for."""
        try:
            return describe(*sys.exc_info()[:2]) if self._errors else None
        except BaseException:
            return None  # its class computes what it is asked for

    def _finish(self, error=None):
        """The connection has ended: end every channel. A thread then calls _terminate."""
        if self._finished:
            return
        self._trace("finishing receiving", error or "")
        self._orphaned = self._behind and error is not None
        self._leave_in_time(LEAVE_BEHIND if self._orphaned else LEAVE)
        factory = self._channelfactory
        with self._receivelock:
            with factory._lock:
                factory.finished = True
            self._error = error
            for channel in factory.channels():
                factory._local_close(channel.id, sendonly=True)
            for id in list(self._callbacks):
                factory._local_close(id, sendonly=True)
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
                    sleep(GRACE)
                    continue
                self._armed = True
                if not self._role.acquire(False):
                    self._background.wait()
                    continue
                self._armed = False
                try:
                    self._lead(lambda: False, None, False, True)
                except KeyboardInterrupt:
                    pass  # of a callback; the message has been answered
                finally:
                    self._release_role()
        except MemoryError:
            out_of_memory()
        except BaseException:
            complain("execnet worker: cannot read any more:", geterrortext())
        finally:
            if not self._forked:  # a greenlet goes on in the child
                self._finish()
                self._terminate()

    def _terminate(self):
        self._trace("shutting down execution pool")
        if not self._wait_idle(0.2 if self._orphaned else 5.0):
            self._trace("execution ongoing, sending ourselves a SIGINT")
            if sys.platform != "win32":
                os.kill(os.getpid(), 2)
            else:
                _thread.interrupt_main()
            if not self._wait_idle(10.0):
                self._trace("execution did not finish in another 10 secs, calling os._exit()")
                self._exit()
        self._wait(lambda: not self._ending, self._waiters, now() + 1)
        if self._output:
            self._output.end()
        self._trace("closing read and write")
        if acquire(self._writelock, now() + 1):  # otherwise a thread hangs in a write
            self._unsent.clear()
            self._fast = False
            self._syswritev, self._syswrite, self._sysread = None, closed, closed
            try:
                self._close()
            except (OSError, IOError):
                pass  # remote code has closed the descriptors
            self._writelock.release()
        self._done = True
        self._stop_flushing()
        self._wake(self._waiters)

    def _wait_idle(self, seconds):
        return self._wait(lambda: not self._running, self._waiters, now() + seconds)

    def _leave_in_time(self, limit=LEAVE):
        """Let a process that is this gateway's own last no longer than limit seconds from now on."""
        if self._alone and self._leaving is None:
            self._leaving = now() + limit
            try:
                start_thread(self._exit, (limit,))
            except Exception:
                pass  # there is no thread for it; a signal ends the process one second later

    def _exit(self, delay=0, sleep=sleep):
        # Python 2 clears the names of modules while this thread may just begin. It keeps sleep.
        sleep(delay)
        if self._watchdog is not None:
            self._watchdog.stop()
        os._exit(1)

    def _bound_shutdown(self):
        """Bound what Python does at the end: wait for threads, call atexit handlers, finalize.

        The driver has gone, so the default action of SIGALRM may end the process. It needs no
        thread that runs, and no interpreter.
        """
        self._leave_in_time()
        self._watchdog.stop()
        try:
            signal = stdlib("signal" if PY2 else "_signal")
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, max(0.1, self._leaving + KILL - LEAVE - now()))
        except (AttributeError, ValueError):
            pass  # Windows, or this is not the main thread

    def _close(self):
        try:
            for fd in self._spare.union([self._rfd]).difference([self._wfd]):
                os.close(fd)
        finally:
            self._close_wfd()

    def _close_wfd(self):
        os.close(self._wfd)

    def _after_fork(self):
        """Cut the connection, in a child that remote code has just forked."""
        self._forked = True
        self._writelock = self._receivelock = self._role = OfTheParent()
        self._channelfactory._lock = self._role
        if self._sysread is not closed:
            try:
                null = os.open(os.devnull, os.O_RDWR)
                for fd in self._rfd, self._wfd:
                    os.dup2(null, fd)
                    not_inherited(fd)
                os.close(null)
            except OSError:
                pass  # no descriptor is free; nothing here uses them any more

    def _end_forked(self, error=None, *source):
        """End a child that remote code has forked and that has come to the end of its part."""
        if os.getpid() == self._pid:
            return
        code = 0
        try:
            if isinstance(error, SystemExit):
                code = error.code
                if code is not None and not isinstance(code, int):
                    complain(str(code))
                    code = 1
            elif error is not None:
                code = 1
                complain("in a forked child:", geterrortext(*source))
            for file in sys.stdout, sys.stderr:
                file.flush()
        except BaseException:
            pass  # nothing can be said any more
        finally:
            os._exit((code or 0) & 255)

    # -- executing

    def _schedule(self, channel, task):
        model = self.execmodel.backend
        self._running.add(channel)
        if not self.execmodel.green and self._slot.acquire(False):
            self._to_main(channel, task)
        elif model == "main_thread_only":
            self._late.add(channel)
            self._calls.append((channel, task))
            self._call_main()  # the main thread may just have become idle
            self._start(self._refuse_late, channel)
        else:
            self._start(self._execute, channel, task)

    def _to_main(self, channel, task):
        self._tasks.append((channel, task))
        self._wake(self._waiters)

    def _refuse_late(self, channel):
        # The driver cannot know whether the main thread is free after the task before this one.
        deadline = now() + 1
        while channel in self._late and now() < deadline:
            sleep(0.01)
        try:
            self._late.remove(channel)
        except KeyError:
            return  # the main thread has it
        self._close_execution(channel, MAIN_THREAD_ONLY_DEADLOCK_TEXT)
        self._leave(channel)

    def _leave(self, channel, key=None):
        self._running.discard(channel)
        if self._interrupted:
            self._interrupted.discard(key or -channel.id)
        if self._finished:
            self._wake(self._waiters)

    def serve(self):
        try:
            if self._plain:
                self._start_background()
            while not self.execmodel.green:
                if not (self._tasks or self._served and self._read_one(self._newest, self._tasks)):
                    self._wait(lambda: self._tasks or self._finished, self._waiters, None, True)
                if not self._tasks:
                    break
                task = self._tasks.popleft()
                if type(task) is bytes:  # a call, as _read_one reads it
                    task = self._call_read(task)
                    if task is None:
                        continue
                channel, task = task
                try:
                    if self._background is None:
                        self._start_background()
                except Exception:
                    self._slot.release()
                    self._not_started(channel, task)
                else:
                    self._do(channel, task, self._slot)
                del channel, task
            if self._background is None:
                self._terminate()
            self.join()
        except KeyboardInterrupt:
            self._trace("swallowing keyboardinterrupt, serve finished")
        except MemoryError:
            out_of_memory()

    def _start_background(self):
        if self._background is not None:
            return
        self._background = self._newwaiter()
        try:
            if self.execmodel.green:
                self.execmodel.start(self._read_in_background)
            else:
                if PY2:
                    try:
                        stdlib("threading")  # imported first by the main thread
                    except Exception:
                        pass
                start_thread(self._read_in_background, ())
        except BaseException:
            self._background = None
            raise

    def _do(self, channel, task, slot=None):
        """Do a task: a tuple of four is an execution, of two a call, of three an iteration."""
        if len(task) == 2:
            return self._call(channel, task, slot)
        (self._drop, self._call, self._iterate, self._execute)[len(task) - 1](channel, task, slot)

    def _execute(self, channel, task, slot=None):
        errortext = about = None
        try:
            source, file_name, call_name, kwargs = task
            self._trace("execution starts[%s]: %.50r" % (channel.id, source))
            file_name = file_name or "<remote exec>"
            channel._executing = True
            try:
                self._begin(-channel.id)
                run(source, file_name, call_name, kwargs, channel)
                self._end_forked()
            except BaseException:
                self._end_forked(sys.exc_info()[1], source, file_name)
                raise
            finally:
                self._settle(-channel.id)
                channel._executing = False
                self._trace("execution finished")
        except KeyboardInterrupt:
            errortext = INTERRUPT_TEXT
        except BaseException as error:
            # When the connection has ended, nobody is there to be told.
            if not (self._channelfactory.finished or is_orderly(error, channel)):
                errortext, about = geterrortext(source, file_name), self._about()
        self._end_execution(channel, slot, errortext, about)

    def _end_execution(self, channel, slot, errortext, about):
        # When the driver sees the channel closed, the worker is idle and its main thread is free.
        if slot is not None:
            slot.release()
            self._call_main()
        self._ending.add(channel)
        self._leave(channel)
        unheard = self._behind and channel._closed
        self._close_execution(channel, errortext, about)
        if unheard:  # the driver has closed it before; the Go worker wants to know all the same
            self._post(CHANNEL_CLOSE, channel.id)
        self._ending.discard(channel)
        if self._finished:
            self._wake(self._waiters)

    def _close_execution(self, channel, errortext, about=None):
        while True:
            try:
                return channel._close(errortext, about)
            except KeyboardInterrupt:
                pass  # the driver waits for the close all the same
            except MemoryError:
                return self._bad_item(channel.id, MemoryError("no memory for the error's text"))
            except IOError:
                return self._trace("could not tell the end of the execution")
            except DumpError:
                about = None  # the class has a name that is no text


    # -- calls (protocol.md section 6.8)

    def _serve_calls(self, channel):
        channel._items = None  # so what comes does not become items
        self._served[channel.id] = channel
        self._newest = channel.id
        self._post(CHANNEL_DATA, channel.id, dumps(True))

    def _call_read(self, message):
        """The call that the idle main thread has read. None if it is something else, or must wait."""
        channel, data = self._served.get(unpack_head(message)[1]), message[9:]
        try:
            request = load_request(data, self, channel._strconfig)
            if 2 < len(request) < 5 and self._slot.acquire(False):
                self._running.add(request[0])
                return channel, (request[0], request)
        except Exception:
            pass
        if channel is not None:
            self._request(channel, data)

    def _request(self, channel, data):
        """Do what a message on a channel for calls asks for, or have it done. This never waits."""
        try:
            n = unpack_i4(data, 1)[0]
        except struct.error:
            return self._bad_item(channel.id, LoadError("no request"))
        try:
            request = load_request(data, self, channel._strconfig)
            size = len(request)
            if size == 1:
                if self._interrupt(n, n) is False:
                    # It has been answered, or has not come; but the driver waits for one answer.
                    self._post(CHANNEL_DATA, channel.id, dumps((n, INTERRUPT_TEXT, None)))
            elif size == 2:
                execution = self._channelfactory.get(request[1])
                if self._beyond(-request[1]):
                    raise RuntimeError("Python 2 can interrupt nothing but the main thread")
                # The answer comes first: this thread itself may be the one that is interrupted.
                self._post(CHANNEL_DATA, channel.id, dumps((n, execution in self._running)))
                self._interrupt(-request[1], execution)
            elif size < 7:
                self._schedule_call(channel, (n, request), n)
            else:
                stream = Stream(request)
                self._post(CHANNEL_DATA, channel.id, dumps((n, None)))
                self._schedule_call(stream.channel, (stream, None, None), stream.channel)
        except Exception:
            self._post(CHANNEL_DATA, channel.id, self._failed(n))

    def _schedule_call(self, channel, task, key):
        self._running.add(key)
        if self.execmodel.green:
            self._start(self._do, channel, task)
        elif self._slot.acquire(False):
            self._to_main(channel, task)
        else:
            self._calls.append((channel, task))
            self._call_main()  # the main thread may just have become idle
            if self._calls and self.execmodel.backend == "thread":
                self._call_elsewhere()

    def _call_main(self):
        """Give the main thread what waits first, if it is idle."""
        while self._calls and self._slot.acquire(False):
            try:
                channel, task = self._calls.popleft()
                if len(task) == 4:
                    self._late.remove(channel)
                return self._to_main(channel, task)
            except (IndexError, KeyError):
                self._slot.release()  # another thread has taken it, or it has been refused

    def _call_elsewhere(self):
        """Have a thread take the next call that waits."""
        try:
            if self._resting:
                return self._resting.pop().set()
        except IndexError:
            pass
        if not self._starting:  # the one that starts asks for another one if there is more to do
            self._starting = True
            try:
                self._start(self._run_calls)
            except Exception:
                self._starting = False
                self._not_started(*self._calls.pop())

    def _run_calls(self):
        """Run calls, until none has come for some seconds."""
        self._starting = False
        me = Waiter()
        while True:
            try:
                channel, task = self._calls.popleft()
            except IndexError:
                self._resting.append(me)
                if not self._calls:
                    me.wait(now() + REST)
                try:
                    self._resting.remove(me)
                except ValueError:
                    continue  # somebody has woken it
                if not self._calls:
                    break
                continue
            if self._calls:
                self._call_elsewhere()
            self._do(channel, task)
            del channel, task

    def _call(self, channel, call, slot=None):
        n, request = call
        answer = None
        try:
            try:
                self._begin(n)
                value = call_function(request)
                if len(request) > 4 and request[4] is not True:
                    value = self._hold(request[4], value)
                answer = dump_answer(n, value)
                if self._forked:
                    self._end_forked()
            except BaseException:
                if self._forked:
                    self._end_forked(sys.exc_info()[1])
                raise
            finally:
                self._settle(n)
        except BaseException:
            answer = [self._failed(n)]
        if slot is not None:
            slot.release()
            if self._calls:
                self._call_main()
        self._ending.add(n)
        self._leave(n, n)
        try:
            if len(answer) == 1:
                answer = answer[0]
                answer = pack_head(CHANNEL_DATA, channel.id, len(answer)) + answer
                if self._fast and len(answer) <= ATOMIC:
                    self._write_small(answer)
                else:
                    self._write([answer])
            else:
                self._write([pack_head(CHANNEL_DATA, channel.id, sum(map(len, answer)))] + answer)
        except IOError:
            self._trace("could not answer call", n)
        self._ending.discard(n)
        if self._finished:
            self._wake(self._waiters)

    def _failed(self, n):
        """The answer to call n that tells of the exception being handled."""
        text = INTERRUPT_TEXT
        about = None
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            text, about = geterrortext(), self._about()
        try:
            return dumps((n, text, about))
        except DumpError:
            return dumps((n, text, None))  # the class has a name that is no text

    def _iterate(self, channel, task, slot=None):
        stream = task[0]
        errortext, about, waits = None, None, False
        try:
            try:
                self._begin(-channel.id)
                waits = stream.send_items()
                self._end_forked()
            except BaseException:
                self._end_forked(sys.exc_info()[1])
                raise
            finally:
                try:
                    if not waits:
                        stream.close()
                finally:
                    self._settle(-channel.id)
        except KeyboardInterrupt:
            errortext = INTERRUPT_TEXT
        except BaseException:
            errortext, about = geterrortext(), self._about()
        if waits:
            slot.release()
            self._call_main()
            return stream.wait()
        self._end_execution(channel, slot, errortext, about)

    def _hold(self, channel, value):
        """Keep the object of a handle until its channel is closed."""
        channel._object = value,
        self._held[channel.id] = channel
        if channel._closed:
            self._held.pop(channel.id, None)
            channel._object = ()

    def _release(self, id):
        """Drop the object of a handle, where a call would run: its finalizer may do anything."""
        if not self._channelfactory.finished:
            channel = self._held.pop(id, None)
            if channel is not None:
                self._schedule_call(channel, (None,), channel)

    def _drop(self, channel, task, slot=None):
        channel._object = ()
        if slot is not None:
            slot.release()
            self._call_main()
        self._leave(channel)

    # -- interrupting

    def _start(self, func, *args):
        """Start a thread. Until it runs nothing is interrupted: see _interrupt."""
        if self.execmodel.green:
            return self.execmodel.start(func, args)
        token = object()
        self._unborn.add(token)
        try:
            self.execmodel.start(self._born, (token, func, args))
        except BaseException:
            self._unborn.discard(token)
            raise

    def _born(self, token, func, args):
        self._unborn.discard(token)
        self._interrupt_postponed()
        func(*args)

    def _interrupt_postponed(self):
        while self._postponed and not self._unborn:
            try:
                key, running = self._postponed.pop()
            except IndexError:
                break
            self._interrupt(key, running)

    def _begin(self, key):
        """From here to _settle this thread runs what has this key."""
        self._threads[key] = self._current()
        if self._interrupted and key in self._interrupted:
            raise KeyboardInterrupt

    def _settle(self, key):
        """When this has returned, no interrupt comes any more for what has this key."""
        while True:
            try:
                if self._threads.pop(key, None) is None and not self.execmodel.green:
                    # There is no lock, since an interrupt could keep a thread from releasing it.
                    self._interrupting.discard(_thread.get_ident())
                    while self._interrupting:
                        sleep(0.0002)
                    take_interrupt()  # what was sent has been sent by now
                    # It may have come when this thread had written something, and was about to
                    # write what others had posted meanwhile.
                    self._flush_posted()
                return
            except KeyboardInterrupt:
                pass

    def _beyond(self, key):
        """Whether what has this key runs where it cannot be interrupted.

        An exception for a thread of Python 2 may come while it takes or leaves a lock, which is
        Python code there, and then the lock stays locked.
        """
        return PY2 and not self.execmodel.green and self._threads.get(key) not in (None, MAIN)

    def _interrupt(self, key, running):
        """Interrupt what has this key, and return True.

        Return False if it has ended, and None if it cannot be interrupted.
        """
        if running not in self._running:
            return False
        if self._beyond(key):
            return None
        me = _thread.get_ident()
        self._interrupting.add(me)
        try:
            self._interrupted.add(key)  # if it has not begun, it ends when it does
            if running not in self._running:
                self._interrupted.discard(key)
            elif self.execmodel.green:
                def throw():
                    found = self._threads.pop(key, None)
                    if found is not None:
                        found.throw(KeyboardInterrupt)
                self.execmodel.call_soon(throw)
            elif self._unborn:
                # Before Python 3.12 a thread that does not run yet has the identity of the one that
                # has started it, and would get the exception that is meant for that.
                self._postponed.append((key, running))
            else:
                thread = self._threads.pop(key, None)
                if thread is not None:
                    interrupt_thread(thread)
        finally:
            self._interrupting.discard(me)
        for waiter in list(self._followers):
            waiter.set()  # a thread that waits for an item cannot be interrupted
        self._interrupt_postponed()
        return True


def interrupt_thread(thread):
    """Raise KeyboardInterrupt in a thread of Python, as soon as it executes Python.

    The main thread gets SIGINT, which also ends most of what waits, if that has a handler.
    """
    if thread == MAIN:
        signal = stdlib("signal" if PY2 else "_signal")
        if callable(signal.getsignal(2)) and signal.getsignal(2) not in (0, 1):
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(MAIN, 2)
            elif sys.platform == "win32":
                _thread.interrupt_main()
            else:
                try:
                    ctypes = stdlib("ctypes")
                    ctypes.CDLL(None).pthread_kill(ctypes.c_ulong(MAIN), 2)
                except (ImportError, AttributeError, OSError):
                    os.kill(os.getpid(), 2)  # another thread may get it
            return
    try:
        set_async_exception(thread, KeyboardInterrupt)
    except (ImportError, AttributeError):
        pass  # there is no ctypes, or it has no such function


def take_interrupt():
    """Have an interrupt that was sent to this thread raise KeyboardInterrupt in here, or nowhere."""
    if "ctypes" in sys.modules or "ctypes" in private:
        try:
            set_async_exception(_thread.get_ident(), None)
        except (ImportError, AttributeError):
            pass
    # The system delivers a signal at the end of a system call, if not before. Then Python handles
    # it.
    getattr(os, "getppid", os.getpid)()
    for _ in range(100):
        pass


def set_async_exception(thread, kind):
    ctypes = stdlib("ctypes")
    number = ctypes.c_ulong if sys.version_info >= (3, 7) else ctypes.c_long
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number(thread), kind and ctypes.py_object(kind))


def find_function(path, found={}):
    """What a dotted path names: attributes of the longest module that can be imported.

    Where it was found is kept, not what: names may be bound anew. A path without a dot names a
    builtin.
    """
    name, parts = found.get(path) or (None, path.split("."))
    module = sys.modules.get(name)
    if module is None:
        if len(parts) == 1 and name is None:
            parts.insert(0, "__builtin__" if PY2 else "builtins")
        else:
            parts = path.split(".")
        name = parts.pop(0)
        __import__(name)
        module = sys.modules[name]
        while len(parts) > 1:
            longer = name + "." + parts[0]
            if longer not in sys.modules and not hasattr(module, "__path__"):
                break
            try:
                __import__(longer)
            except ImportError as error:
                # It may be that the module is there, and imports one that is not.
                if sys.exc_info()[2].tb_next if PY2 else error.name != longer:
                    raise
                break
            name = longer
            module = sys.modules[name]
            del parts[0]
        if len(found) > 1000:
            found.clear()
        found[path] = name, parts
    for part in parts:
        module = getattr(module, part)
    return module


def load_request(data, gateway, strconfig):
    """loads(), but quicker for a call without kwargs whose arguments are texts, bytes and small ints."""
    end = len(data) - 11
    if PY2 or strconfig[1] or data[end:-10] != b"@" or data[-6:] != END_OF_CALL or data[5] != OP_N:
        return loads(data, gateway, strconfig)
    pos, args = 10 + unpack_i4(data, 6)[0], []
    function = data[10:pos].decode("utf-8")
    while 10 < pos < end:
        op, size = data[pos], unpack_i4(data, pos + 1)[0]
        start = pos = pos + 5
        if op == OP_F:
            args.append(size)
            continue
        pos += size
        if size < 0 or op != OP_A and op != OP_N:
            break
        args.append(data[start:pos] if op == OP_A else data[start:pos].decode("utf-8"))
    if pos != end or len(args) != unpack_i4(data, end + 1)[0] or data[0] != OP_F:
        return loads(data, gateway, strconfig)
    return unpack_i4(data, 1)[0], function, tuple(args)


def call_function(request):
    """Make a call: (number, function, args[, kwargs[, ...[, True]]]).

    The function is a path, or a tuple: an object and a path from there. True stands for arrays.
    """
    function, args = request[1], request[2]
    if len(request) == 3 and type(function) is not tuple:
        return find_function(function)(*args)
    kwargs = request[3] if len(request) > 3 else {}
    if request[-1] is True:
        args, kwargs = with_arrays(args), with_arrays(kwargs)
    if PY2:
        kwargs = dict((str(key), kwargs[key]) for key in kwargs)
    if type(function) is not tuple:
        return find_function(function)(*args, **kwargs)
    found, path = function
    for name in path.split("."):
        found = getattr(found, name)
    return found(*args, **kwargs)


def dump_answer(n, value):
    """The parts of the answer to call n: the tuple of n and the value."""
    t, head = type(value), pack_i4(b"F", n)
    if t is bytes and not PY2 and len(value) < MAX_SIZE - 100:
        head += pack_i4(b"A", len(value))
        return [head, value, END_OF_ANSWER] if len(value) > CHUNK else [head + value + END_OF_ANSWER]
    if value is None:
        return [head + b"L" + END_OF_ANSWER]
    if t is int and not PY2 and -2147483648 <= value <= 2147483647:
        return [head + pack_i4(b"F", value) + END_OF_ANSWER]
    return dump_plain(value, head, END_OF_ANSWER)


def dump_plain(value, head=b"", end=b"Q"):
    """The parts of a value, or of what is sent instead of it, between head and end."""
    for form in None, plain:
        try:
            out = Answer((head,))
            if form:
                value = form(value)
            save(value, out.append)
            out.append(end)
            if out.large and len(out) < 200:
                return out  # one system call writes so many parts, and nothing is copied
            joined = b"".join(out)
            if len(joined) <= MAX_SIZE:
                return [joined]
        except (DumpError, UnicodeError, RuntimeError, struct.error):
            pass  # RuntimeError: it contains itself, or is nested too deep, which dumps says
    return [b"".join((head, dumps(value)[:-1], end))]


class Answer(list):
    """The parts of an answer. In it arrays of numpy are sent with their types and shapes."""

    large = False  # whether it has a part that had better not be copied

    def save_array(self, x):
        if x.dtype.kind not in "biufc":
            raise DumpError  # plain makes a list of it
        raw = buffer_of(x, copy=False)
        self.large = self.large or len(raw) > CHUNK
        self.append(b"J")
        for name, value in ("dtype", text(x.dtype.str)), ("shape", x.shape):
            save(text(name), self.append)
            save(value, self.append)
            self.append(b"P")
        save(text("data"), self.append)
        self.extend((pack_i4(b"A", len(raw)), raw, b"P"))


def with_arrays(x):
    """x with an array of numpy in the place of each dict that describes one."""
    t = type(x)
    if t is dict and "dtype" in x and "shape" in x and "data" in x:
        # A bytearray, since arrays are usually written to.
        return __import__("numpy").ndarray(tuple(x["shape"]), str(x["dtype"]), bytearray(x["data"]))
    if t is dict:
        return dict((key, with_arrays(x[key])) for key in x)
    return t(map(with_arrays, x)) if t in (list, tuple) else x


def plain(x):
    """The value that is sent instead of x in the result of a call (protocol.md section 6.8)."""
    t = type(x)
    if x is None or t in (bool, int, long, float, complex, bytes, text, Channel):
        return x
    if is_a(x, "enum", "Enum"):
        return plain(x.value)
    if t.__module__ == "numpy" and not isinstance(x, type) and getattr(x, "shape", None) == ():
        return plain(x.item())
    if is_a(x, "numpy", "ndarray") and x.dtype.kind not in "biufc":
        return plain(x.tolist())
    if is_a(x, "datetime", "date", "time"):  # a datetime is a date
        return x.isoformat()
    if is_a(x, "datetime", "timedelta"):
        return x.total_seconds()
    for module, name in PLAIN_TEXT:
        if is_a(x, module, name):
            return text(x)
    if hasattr(t, "__dataclass_fields__"):
        return dict((name, plain(getattr(x, name))) for name in t.__dataclass_fields__)
    if isinstance(x, dict):
        return dict((plain(key), plain(x[key])) for key in x)
    for base in list, tuple, set, frozenset:
        if isinstance(x, base):
            return base(map(plain, x))
    for base in int, long, float, text, bytes:
        if isinstance(x, base):
            return base.__new__(base, x)
    return x


PLAIN_TEXT = (("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"), ("pathlib", "PurePath"))


def is_a(x, module, *names):
    """Whether x is of one of these classes; it is not if nobody has imported their module."""
    return isinstance(x, tuple(
        cls for cls in [getattr(sys.modules.get(module), name, None) for name in names] if isinstance(cls, type)))


END_OF_CALL, END_OF_ANSWER = pack_i4(b"@", 3) + b"Q", pack_i4(b"@", 2) + b"Q"


class Stream(object):
    """An iteration over what a function returns (protocol.md section 6.8)."""

    def __init__(self, request):
        channel, most, most_bytes = request[4:7]
        if type(channel) is not Channel:
            raise TypeError("%r is no channel for an iteration" % (channel,))
        self.call, self.channel, self.iterator = request, channel, None
        channel._next = ANY
        self.most, self.most_bytes = int(most), int(most_bytes)
        self.sizes, self.total = deque(), 0  # of the items that the driver has not taken

    def send_items(self):
        """Return True if the main thread shall do something else until the driver says something."""
        channel, sizes = self.channel, self.sizes
        gateway = channel.gateway
        while True:
            full = len(sizes) >= self.most or self.total >= self.most_bytes
            if full and not channel._items and gateway.execmodel.backend == "main_thread_only":
                return True
            if full or channel._items:
                try:
                    n = channel.receive()
                except (EOFError, RemoteError):
                    return False  # the driver has closed the channel
                if not 0 < n <= len(sizes):
                    return False  # the driver wants no more
                for _ in range(n):
                    self.total -= sizes.popleft()
                continue
            if self.iterator is None:
                self.iterator = iter(call_function(self.call))
                self.call = None
            item = next(self.iterator, ENDMARKER)
            if item is ENDMARKER:
                return False
            t, n = type(item), 6
            if t is int and -2147483648 <= item <= 2147483647:
                channel.send(item)
            elif t is bytes and not PY2:
                channel.send(item)
                n += len(item)
            else:
                data = b"".join(dump_plain(item))
                n = len(data)
                if gateway._fast and n <= ATOMIC - 9:
                    gateway._write_small(pack_head(CHANNEL_DATA, channel.id, n) + data)
                else:
                    gateway._send(CHANNEL_DATA, channel.id, data)
            sizes.append(n)
            self.total += n

    def wait(self):
        """Have the main thread go on when the driver says something."""
        self.channel._waiters.append(self)
        if self.channel._items:
            self.set()

    def set(self):
        """What the thread that reads calls then, as if this were the Waiter of another thread."""
        try:
            self.channel._waiters.remove(self)
        except ValueError:
            return  # it has been called
        gateway = self.channel.gateway
        gateway._calls.append((self.channel, (self, None, None)))
        gateway._call_main()

    def close(self):
        iterator, self.iterator, self.call = self.iterator, None, None
        if hasattr(iterator, "throw"):
            iterator.close()  # other iterators than generators may be somebody else's, too


class Output(object):
    """Sends what this process and its children print to the driver (protocol.md section 6.9).

    Descriptors 1 and 2, or one of them, become pipes. A thread for each sends what comes out of its
    pipe. What Python itself prints is sent at once by the thread that prints it, so that it is on
    its way when the next statement ends the process. The driver confirms what it has taken, and no
    more than WINDOW bytes that it has not confirmed are on their way. If it confirms nothing for
    PATIENCE seconds, the rest is left out until it does, so that nothing here waits for ever.
    """
    WINDOW = 1 << 18
    PATIENCE = 5.0
    LAST = 1.0  # seconds for what is left at the end

    def __init__(self, gateway, wanted, before):
        """wanted is the sum of the descriptors, and 4 for log records; before maps descriptors to
        those to use after the end.
        """
        self.gateway, self.before = gateway, before
        self.lock = gateway._newlock()
        self.unconfirmed, self.last, self.refused = 0, now(), False
        self.left_out = {1: 0, 2: 0, 4: 0}  # bytes of the streams, and log records
        self.pipes = {}  # by descriptor: the reading end, and a lock that is held while it is read
        self.ended = set()  # the descriptors whose pipes have been read to the end
        # How often something was read. The watchdog sees it in beat.
        self.reads, self.beat = 0, stdlib("mmap").mmap(-1, 8)
        self.stdout = sys.stdout
        for fd in 1, 2:
            if wanted & fd:
                reading, writing = os.pipe()
                not_inherited(reading)
                os.dup2(writing, fd)
                os.close(writing)
                self.pipes[fd] = reading, allocate()
        if wanted & 1 and not PY2:  # in Python 2 the option -u does that
            sys.stdout = sys.__stdout__ = self.make_stdout()
        if wanted & 4:
            self.capture_logging()

    def start(self):
        for fd in self.pipes:
            start_thread(self.follow, (fd,))
        leave = os._exit

        def _exit(status):
            if os.getpid() == self.gateway._pid:
                self.end()
            leave(status)
        if self.gateway._alone:
            os._exit = _exit

    def make_stdout(self):
        """A file that writes each line to descriptor 1 when it is complete."""
        io = stdlib("io")

        class Raw(io.FileIO):
            def write(raw, data):
                n = io.FileIO.write(raw, data)
                if not self.gateway.execmodel.green:  # another greenlet reads what is confirmed
                    self.pass_on(1)
                return n
        raw = Raw(1, "w", closefd=False)
        raw.name = "<stdout>"
        return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)

    def follow(self, fd):
        (reading, lock), data = self.pipes[fd], b"-"
        while data:
            try:
                ready = poll_fd(reading, 0.1 if self.left_out[fd] else 60.0)
                with lock:
                    # Another thread may have read it meanwhile.
                    if ready is None or ready and poll_fd(reading, 0):
                        data = self.read(reading)
                        self.send(fd, data)
                    elif self.left_out[fd]:
                        self.send(fd, b"")
            except Exception:  # a signal in Python 2, or the watchdog has read it
                if self.gateway._done or sleep is None:  # Python 2 clears names at its end
                    break
                sleep(0.01)
        self.ended.add(fd)

    def read(self, reading):
        self.reads += 1
        self.beat[:] = struct.pack("q", self.reads)
        return os.read(reading, CHUNK)

    def pass_on(self, fd):
        """Send what is in the pipe, if nobody has to be waited for."""
        reading, lock = self.pipes[fd]
        if self.gateway._forked or not lock.acquire(False):
            return
        try:
            while self.unconfirmed + CHUNK <= self.WINDOW and poll_fd(reading, 0):
                data = self.read(reading)
                if not data:
                    break
                self.send(fd, data)
        except EnvironmentError:
            pass  # the watchdog has read it
        finally:
            lock.release()

    def send(self, kind, data):
        if not self.has_room(len(data)):
            self.left_out[kind] += len(data)
            return
        if self.left_out[kind]:
            left_out, self.left_out[kind] = self.left_out[kind], 0
            self.send_item((kind, left_out))
        if data:
            self.send_item((kind, data))

    def capture_logging(self):
        """Send what the module logging logs, as soon as somebody has imported that.

        It is sent at the place where records go to the handlers of the root logger. With a handler
        there logging.basicConfig() would do nothing. Handlers that write to stderr get nothing.
        """
        def capture(logging):
            usual = logging.Logger.callHandlers
            known = set(vars(logging.makeLogRecord({}))).union(("message", "asctime"))
            to_stderr = logging.StreamHandler, getattr(logging, "_StderrHandler", None)

            def call_handlers(logger, record):
                if self.gateway._finished or os.getpid() != self.gateway._pid:
                    return usual(logger, record)
                while logger is not None:
                    for handler in logger.handlers:
                        if record.levelno >= handler.level and not (
                                type(handler) in to_stderr and handler.stream in (sys.stderr, sys.__stderr__)):
                            handler.handle(record)
                    if logger.parent is None:
                        try:
                            self.send_record(logging, record, known)
                        except Exception:
                            complain("execnet worker: cannot send a log record:", geterrortext())
                    logger = logger.parent if logger.propagate else None
            logging.Logger.callHandlers = call_handlers

        class Finder(object):
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name != "logging" or path is not None:
                    return None
                specs = [f.find_spec(name, path, target) for f in sys.meta_path
                         if f is not Finder and hasattr(f, "find_spec")]
                for spec in specs:
                    if spec is not None and hasattr(spec.loader, "exec_module"):
                        def exec_module(module, load=spec.loader.exec_module):
                            load(module)
                            if in_stdlib(spec.origin):
                                capture(module)
                        spec.loader.exec_module = exec_module
                        return spec

            @staticmethod
            def find_module(name, path=None):
                return Finder if name == "logging" and Finder in sys.meta_path else None

            @staticmethod
            def load_module(name):
                sys.meta_path.remove(Finder)
                module = __import__(name)
                if in_stdlib(module.__file__):
                    capture(module)
                return module
        if "logging" in sys.modules:
            capture(sys.modules["logging"])
        else:
            sys.meta_path.insert(0, Finder)

    def send_record(self, logging, record, known):
        try:
            message = record.getMessage()
        except Exception:
            message = "%s, and its arguments do not fit: %r" % (record.msg, record.args)
        error = record.exc_text or record.exc_info and logging.Formatter().formatException(record.exc_info)
        stack = getattr(record, "stack_info", None)
        extra = {}
        for name in sorted(set(vars(record)) - known)[:100]:
            x = getattr(record, name)
            if x is None or type(x) in (bool, int, long, float, str, text) and not fault_of(x):
                extra[sendable(name, 1000)] = sendable(x, 1000) if type(x) in (str, text) else x
        payload = dumps((4, (
            int(record.levelno), sendable(str(record.name), 1000), sendable(message, CHUNK // 2), float(record.created),
            sendable(str(record.pathname), 4000), int(record.lineno), sendable(str(record.funcName), 1000),
            sendable("\n".join(filter(None, (error, stack))), CHUNK // 2), extra)))
        if not self.has_room(len(payload)):
            self.left_out[4] += 1
            return
        if self.left_out[4]:
            left_out, self.left_out[4] = self.left_out[4], 0
            self.send_item((4, left_out))
        self.send_payload(payload)

    def send_item(self, item):
        self.send_payload(dumps(item))

    def send_payload(self, payload):
        with self.lock:
            self.unconfirmed += len(payload)
        try:
            if self.gateway.execmodel.green:
                self.gateway._post(CHANNEL_DATA, 0, payload)
            else:
                self.gateway._send(CHANNEL_DATA, 0, payload)
        except (IOError, ValueError):
            pass  # the driver has gone

    def has_room(self, size):
        since = now()
        while not self.gateway._finished and (
                self.refused or 0 < self.unconfirmed > self.WINDOW - size):
            # A greenlet that waited here would keep the one that reads confirmations from doing it.
            greenlet = self.gateway.execmodel.green and _thread.get_ident() == MAIN
            if self.refused or greenlet or now() - max(since, self.last) > self.PATIENCE:
                self.refused = self.refused or not greenlet
                return False
            sleep(0.002)
        return True

    def confirmed(self, size):
        with self.lock:
            self.unconfirmed -= size
        self.last, self.refused = now(), False

    def end(self):
        """Send what is left, as far as that takes no more than a second."""
        try:
            sys.stdout.flush()
        except Exception:
            pass  # remote code has put something else in its place
        for fd in self.pipes:
            os.dup2(self.before[fd], fd)
        if sys.stdout is sys.__stdout__:
            sys.stdout = self.stdout
        sys.__stdout__ = self.stdout
        deadline = now() + self.LAST
        for fd, (reading, lock) in self.pipes.items():
            while fd not in self.ended and poll_fd(reading, 0) and now() < deadline:
                sleep(0.001)
            if acquire(lock, deadline):
                lock.release()
        self.gateway._flush_in_time(deadline)


class Watchdog(object):
    """A child process that kills this process if it is there limit seconds after its driver.

    No thread of Python can do that while C code holds the GIL, or while a callback keeps the
    reader from reading the end of the stream. The child waits in one poll for two descriptors: fd,
    from which this process reads, for its end; and a pipe to which only this process holds the
    writing end, which ends when this process does. It reads nothing, and it does not keep open what
    this process writes to, as the driver waits for the end of that.

    If this process has an Output, the child also sees to its pipes: it writes to stderr what one
    still holds when this process has died, and what nobody has read for 3 seconds, since C code may
    hold the GIL while it prints.
    """

    def __init__(self, fd, others, limit, output=None):
        """others are descriptors that the child does not keep."""
        self.pid = None
        if not hasattr(os, "fork") or _thread._count():
            return  # Windows; or threads run that somebody has started before the worker
        worker = os.getpid()
        try:
            alive, writing_end = os.pipe()
            if PY2:
                not_inherited(writing_end)
            signal = None if PY2 else __import__("_signal")
            if hasattr(signal, "pthread_sigmask"):
                # A Ctrl-C in the first moments of the child would end it, or show a traceback.
                mask = signal.pthread_sigmask(signal.SIG_BLOCK, [2])
            try:
                self.pid = os.fork()
            finally:
                if self.pid != 0:
                    os.close(alive)
                    if hasattr(signal, "pthread_sigmask"):
                        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        except OSError:
            return  # there is no descriptor, memory or process for it
        if self.pid == 0:
            try:
                os.setsid()  # Ctrl-C at a terminal does not reach it
                for other in others + (writing_end,):
                    os.close(other)
                self.watch(worker, fd, alive, limit, output)
            finally:
                os._exit(0)

    @staticmethod
    def watch(worker, fd, alive, limit, output):
        select = stdlib("select")
        ended = select.POLLHUP | getattr(
            select, "POLLRDHUP", 0x2000 if sys.platform.startswith("linux") else 0)
        poll = select.poll()
        poll.register(fd, ended)
        poll.register(alive, ended)
        pipes = [reading for reading, _ in output.pipes.values()] if output else []
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
            fcntl = stdlib("fcntl")  # the worker may be reading, too
            fcntl.fcntl(pipe, fcntl.F_SETFL, fcntl.fcntl(pipe, fcntl.F_GETFL) | os.O_NONBLOCK)
        deadline, full = None, {}  # full: of pipes with content: since when, and the beat
        while os.getppid() == worker:  # children of the worker may hold the writing end, too
            left = 60.0 if deadline is None else deadline - now()
            if left <= 0:
                os.kill(worker, 9)
                break
            events = dict(poll.poll(min(left, 1.0 if full else 60.0) * 1000))
            if alive in events:
                break
            for pipe in pipes:
                if pipe in events:
                    poll.unregister(pipe)  # otherwise each line would wake this process
                    full[pipe] = now(), output.beat[:]
                elif pipe in full:
                    since, beat = full[pipe]
                    if not poll_fd(pipe, 0):
                        del full[pipe]
                        poll.register(pipe, select.POLLIN)
                    elif output.beat[:] != beat:
                        full[pipe] = now(), output.beat[:]
                    elif now() - since > 3:
                        pass_to_stderr(pipe)
            if events.get(fd, 0) & ended:
                poll.unregister(fd)
                os.close(fd)
                deadline = now() + limit
            elif fd in events:
                sleep(1)
        for pipe in pipes:
            while pass_to_stderr(pipe):
                pass

    def stop(self):
        """End the child and reap it, as pid 1 of a container may not do that."""
        pid, self.pid = self.pid, None
        try:
            if pid and os.waitpid(pid, os.WNOHANG)[0] == 0:  # otherwise the id may be another's now
                os.kill(pid, 9)
                retrying(os.waitpid)(pid, 0)
        except OSError:
            pass  # the remote code has waited for it


def pass_to_stderr(pipe):
    try:
        return os.write(2, os.read(pipe, CHUNK))
    except EnvironmentError:
        return 0  # it is empty


def closed(*args):
    raise ValueError("closed")


def run(source, file_name, call_name, kwargs, channel):
    if PY2:
        file_name = file_name.encode("utf-8")
        kwargs = dict((str(key), kwargs[key]) for key in kwargs)
        if type(source) is text:
            source = without_cookie(source)
    scope = {"channel": channel, "__name__": EXECUTION}
    code = compile(source + "\n", file_name, "exec", 0, True)
    module = sys.modules.setdefault(EXECUTION, ExecutionModule(EXECUTION))
    scopes, key = getattr(type(module), "scopes", {}), (channel.id, id(scope))
    scopes[key] = scope
    try:
        exec(code, scope)
        if call_name:
            scope[call_name](channel, **kwargs)
    finally:
        del scopes[key]


EXECUTION = "__channelexec__"  # the name of the module that source believes to be


class ExecutionModule(type(sys)):
    """The module in sys.modules that shows each execution the names of its own source.

    All executions have this module name, since sources test for it. So an attribute of the module
    is looked up in the names of the source that calls: of the innermost frame that belongs to one.
    Where there is none (in a thread of a library), in those of the latest execution that runs.
    """

    scopes = {}  # the names of the executions that run

    def __getattribute__(self, name):
        scope = scope_of_caller()
        if name == "__dict__":
            return scope
        try:
            return scope[name]
        except KeyError:
            return type(sys).__getattribute__(self, name)

    def __setattr__(self, name, value):
        scope_of_caller()[name] = value

    def __delattr__(self, name):
        try:
            del scope_of_caller()[name]
        except KeyError:
            raise AttributeError(name)

    def __dir__(self):
        return sorted(scope_of_caller())


def scope_of_caller():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if name == EXECUTION:
            return frame.f_globals
        if type(name) is str and pickles_for_others(name):
            return {}
        frame = frame.f_back
    scopes = ExecutionModule.scopes.copy()
    return scopes[max(scopes)] if scopes else {}


def pickles_for_others(module):
    """Whether this module makes pickles for processes that have no such execution.

    Then it must not find a source's classes and functions by name. cloudpickle and dill pickle them
    by value instead. multiprocessing fails at once, which is better than in the processes that it
    has spawned: a Pool waits for those for ever.
    """
    if module in ("multiprocessing.reduction", "multiprocessing.forking"):
        if PY2:
            return sys.platform == "win32"
        context, process = map(sys.modules.get, ("multiprocessing.context", "multiprocessing.process"))
        return context.get_spawning_popen() is not None or any(
            getattr(child._popen, "method", "fork") != "fork" for child in list(process._children))
    return not {"cloudpickle", "dill"}.isdisjoint(module.split("."))


def without_cookie(source):
    """The source, with its coding cookie spoiled: Python 2 refuses one in a unicode source."""
    re = stdlib("re")
    lines = source.split("\n", 2)
    for i, line in enumerate(lines[:2]):
        if re.match(r"[ \t\f]*#.*?coding[:=]", line):
            lines[i] = line.replace("coding", "c0ding")
    return "\n".join(lines)


def is_orderly(error, channel):
    """Whether an execution that ends with this exception has done what it should.

    That are sys.exit(), also with 0, and the EOFError of receive() at the end of its channel. To
    Python execnet, which does not ask for more about errors, sys.exit() is an error.
    """
    try:
        if isinstance(error, SystemExit):
            orderly = error.code is None or isinstance(error.code, int) and error.code == 0
            return bool(orderly and channel.gateway._errors)
        return isinstance(error, EOFError) and getattr(error, "channelid", None) == channel.id
    except Exception:
        return False  # of a class that computes its attributes


def describe(kind, exc):
    """What a driver can ask about an exception, beside its text (protocol.md section 6.7)."""
    try:
        message = text(exc)
    except Exception:
        try:
            message = str(exc)
        except Exception:
            message = "<exception str() failed>"
    mro = [qualified(cls) for cls in getattr(kind, "__mro__", [kind])[:100]]
    return {"class": mro[0], "message": sendable(message), "mro": mro}


def qualified(cls):
    """The name of a class and its module. Modules have the names that Python 3 gives them."""
    module = cls.__module__
    if PY2 and module in ("exceptions", "__builtin__"):
        module = "builtins"
    return sendable("%s.%s" % (module, getattr(cls, "__qualname__", cls.__name__)))[:1000]


ERROR_TEXT_LIMIT = 1 << 20  # bytes


def sendable(shown, limit=ERROR_TEXT_LIMIT):
    """shown as text that can be serialized. If it is very long, it loses its middle."""
    if PY2:
        if type(shown) is text and any(u"\ud800" <= c <= u"\udfff" for c in shown):
            raw = shown.encode("ascii", "backslashreplace")
        else:
            raw = shown.encode("utf-8") if type(shown) is text else shown
    else:
        raw = shown.encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return raw.decode("utf-8", "replace")
    half = limit // 2
    return u"%s\n[... %d bytes are left out here ...]\n%s" % (
        raw[:half].decode("utf-8", "replace"), len(raw) - 2 * half,
        raw[-half:].decode("utf-8", "replace"))


def geterrortext(source=None, file_name=None):
    """The traceback of the exception being handled, as text, without the frames of this file.

    It raises nothing. Where formatting fails (the exception's own __str__ may do anything, and
    imports need descriptors), the text is made in a simpler way, down to the name of the type.
    """
    kind, exc, tb = sys.exc_info()
    limit = None
    try:
        here = run.__code__.co_filename
        while tb is not None and tb.tb_frame.f_code.co_filename == here:
            tb = tb.tb_next
        # Nor those that call a Go function, and those in which it raises such errors on purpose.
        hidden = ["<Go functions>"]
        if isinstance(exc, (DataFormatError, RemoteError, EnvironmentError, EOFError)):
            hidden.append(here)
        frames, at, last = 0, tb, tb
        while at is not None:
            frames += 1
            if at.tb_frame.f_code.co_filename not in hidden:
                limit, last = frames, at
            at = at.tb_next
        if limit == frames:
            limit = None
        elif limit and sys.version_info >= (3, 7):
            limit, last.tb_next = None, None  # a limit would hold for the causes, too
        lines = None
        if source is not None:
            if PY2 and type(source) is text:
                source = source.encode("utf-8")  # the rest of a traceback is bytes in Python 2
            lines = [line + "\n" for line in source.split("\n")]
    except BaseException:
        lines = None
    for form in (full_traceback, plain_traceback, last_line):
        try:
            out = form(kind, exc, tb, limit, lines, file_name)
            return sendable(out)
        except BaseException:
            pass  # also a KeyboardInterrupt: the driver waits for the end of its channel
    return u"an exception whose type has no name\n"


def full_traceback(kind, exc, tb, limit, lines, file_name):
    traceback = stdlib("traceback")
    if lines is not None:
        size = sum(map(len, lines))
        traceback.linecache.cache[file_name] = size, None, lines, file_name
    out = "".join(traceback.format_exception(kind, exc, tb, limit))
    return out if tb is not None else "Traceback (most recent call last):\n" + out


def plain_traceback(kind, exc, tb, limit, lines, file_name):
    """Like full_traceback, without modules, causes and what only newer Pythons show."""
    out = ["Traceback (most recent call last):\n"]
    while tb is not None and limit != 0:
        limit = limit and limit - 1
        code, n = tb.tb_frame.f_code, tb.tb_lineno
        out.append('  File "%s", line %d, in %s\n' % (code.co_filename, n, code.co_name))
        if lines is not None and code.co_filename == file_name and 0 < n <= len(lines):
            out.append("    %s\n" % lines[n - 1].strip())
        tb = tb.tb_next
    try:
        message = "%s" % (exc,)
        if not isinstance(message, str):
            message = message.encode("utf-8")
    except BaseException:
        message = "<unprintable %s object>" % kind.__name__
    module = getattr(kind, "__module__", None)
    out.append(module + "." if module not in ("builtins", "exceptions", "__main__") else "")
    out.append(kind.__name__ + (": " + message if message else "") + "\n")
    return "".join(out)


def last_line(kind, exc, tb, limit, lines, file_name):
    return "Traceback (most recent call last):\n%s\n" % type.__getattribute__(kind, "__name__")


def complain(*parts):
    """Write to stderr, whatever state that is in."""
    try:
        parts = [part.encode("utf-8") if PY2 and type(part) is text else part for part in parts]
        tell("[%d] %s\n" % (os.getpid(), " ".join(parts)))
    except Exception:
        pass


def tell(said, patience=[1.0]):
    """Write to stderr what it takes.

    The driver may have stopped reading it. Nothing waits longer for that than a second, and after
    that nothing waits at all until it takes something again.
    """
    try:
        fd = sys.stderr.fileno()
    except Exception:
        return sys.stderr.write(said)  # remote code has put something else in its place
    if not isinstance(said, bytes):
        said = said.encode("utf-8", "backslashreplace")
    # This does not use the file: another thread may hold its lock, and wait.
    while said and poll_fd(fd, patience[0], True) is not False:
        said = said[os.write(fd, said[:ATOMIC]):]
    patience[0] = 0 if said else 1.0


def out_of_memory():
    """End the process: there is not even the memory for telling the driver of one channel's end."""
    os.write(2, b"execnet worker: out of memory\n")
    os._exit(1)


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

    # A finalizer may run in a thread of the system that has no hub of greenlets, or none that runs.
    # So it wakes a greenlet of this thread, through a pipe.
    fcntl, io = stdlib("fcntl"), stdlib("io")
    woken, wake = os.pipe()
    for fd in woken, wake:
        not_inherited(fd)
    fcntl.fcntl(wake, fcntl.F_SETFL, os.O_NONBLOCK)
    wake = io.FileIO(wake, "wb")

    def flush():
        while read(woken, CHUNK):
            gateway._flush_posted()
        os.close(woken)
    gateway._flush_later = lambda: wake.write(b"x")  # None if the pipe is full
    gateway._stop_flushing = wake.close
    gateway.execmodel.start(flush)


def duplicate(fd):
    """A copy of a descriptor. Processes that user code starts do not inherit it."""
    fd = os.dup(fd)
    if sys.platform == "win32":
        import msvcrt
        msvcrt.setmode(fd, os.O_BINARY)
    elif PY2:
        not_inherited(fd)
    return fd


def not_inherited(fd):
    if not PY2:
        return os.set_inheritable(fd, False)
    import fcntl
    fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.fcntl(fd, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


def serve_popen(id, execmodel="thread", setup={}):
    """Serve on stdin and stdout. Descriptors 0 and 1 then become the null device.

    setup may hold chdir, nice, env, ahead: messages that are handled as if read first, errors (see
    describe), output (see Output; 1 for descriptor 1), and answer: what the driver expects behind the
    "1" that says that this worker serves.
    engine, which is for Go workers, is refused.
    Behind a Go worker it holds first, the id of the first channel made here, and prepare: source to
    be executed before that.
    """
    sys.stdout.flush()
    wfd, rfd = duplicate(1), duplicate(0)  # in this order: see takeStreams of the Go worker
    for fd, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY)):
        null = os.open(os.devnull, mode)
        os.dup2(null, fd)
        os.close(null)
    try:
        model = ExecModel(execmodel)
        refuse_engine(setup)
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
        gateway = WorkerGateway(rfd, wfd, id, model)
        gateway._adapt(setup)
        if setup.get("output"):
            gateway._output = Output(gateway, setup["output"], {1: 2})
        gateway._alone = True
        if setup.get("first"):
            gateway._channelfactory.count, gateway._behind = setup["first"], True
        if setup.get("prepare"):
            exec(setup["prepare"], dict(globals(), gateway=gateway))
        if setup.get("ahead"):
            gateway._in, gateway._starved = (setup["ahead"], 0, [], None), False
        if model.green:
            use_green_io(gateway)
    except Exception:
        shown = "execnet worker %s: cannot set up: %s\n" % (id, sys.exc_info()[1])
        tell(shown + (geterrortext().encode("utf-8") if PY2 else geterrortext()))
        sys.exit(1)
    serve(gateway, setup)


def refuse_engine(setup):
    if "engine" in setup:
        raise ValueError("engine=%s is for Go workers, and this is Python %s" % (setup["engine"], sys.version.split()[0]))


def serve_socket(sock, id, execmodel="thread", setup={}):
    """Serve on a connected socket. setup may hold answer, engine, errors and output (see serve_popen)."""
    try:
        refuse_engine(setup)
    except ValueError:
        # The driver does not see this server's stderr.
        sock.sendall(str(sys.exc_info()[1]).encode("utf-8"))
        sock.close()
        raise
    model = execmodel if isinstance(execmodel, ExecModel) else ExecModel(execmodel)
    sock.setblocking(True)
    try:
        sock.setsockopt(6, 1, 1)  # TCP_NODELAY
    except (IOError, OSError):
        pass
    # It reads from a copy, which _take_over may replace while another thread writes.
    copy = sock.fileno() if PY2 or sys.platform == "win32" else duplicate(sock.fileno())
    gateway = WorkerGateway(copy, sock.fileno(), id, model)
    gateway._adapt(setup)
    # If this process serves another gateway whose driver wants to see what it prints, that one has
    # it.
    if setup.get("output") and not any(other() is not None and other()._output for other in gateways):
        gateway._output = Output(gateway, setup["output"], {1: duplicate(1), 2: duplicate(2)})
    gateway._fast = False
    gateway._close_wfd = sock.close
    if sys.platform == "win32":
        gateway._sysread = lambda fd, n: sock.recv(n)
        gateway._syswrite = lambda fd, data: sock.send(data)
    elif model.green:
        use_green_io(gateway)
    serve(gateway, setup)


# As tracebacks of execnet name them, and as remote code sees them.
for _class in (DataFormatError, DumpError, LoadError, RemoteError, TimeoutError, ExecModel, Channel,
               ChannelFile, ChannelFileRead, ChannelFileWrite, ChannelFactory, WorkerGateway):
    _class.__module__ = "execnet.gateway_base"


gateways = []  # weak references to all that this process serves


def after_fork_in_child():
    for gateway in gateways:
        gateway = gateway()
        if gateway is not None:
            gateway._after_fork()


def notice_forks():
    """Have after_fork_in_child called in every child that this process forks."""
    if hasattr(os, "register_at_fork"):
        return os.register_at_fork(after_in_child=after_fork_in_child)

    def noticed(fork):
        def call():
            result = fork()
            if not (result[0] if isinstance(result, tuple) else result):
                after_fork_in_child()
            return result
        call.__name__, call.__doc__ = fork.__name__, fork.__doc__
        return call
    for name in "fork", "forkpty":
        if hasattr(os, name):
            setattr(os, name, noticed(getattr(os, name)))


def serve(gateway, setup):
    gateway._trace("creating workergateway: Python %s, process %d" % (
        sys.version.split()[0], os.getpid()))
    if PY2:
        gateway._sysread = retrying(gateway._sysread)
    main = sys.modules["__main__"]
    for cls in (Message, Popen2IO):
        if not hasattr(main, cls.__name__):
            setattr(main, cls.__name__, cls)
    try:
        gateway._write([b"1" + setup.get("answer", "").encode("ascii")])
    except (IOError, OSError):
        return  # the driver has given up
    if gateway._alone:
        output = gateway._output if gateway._output and gateway._output.pipes else None
        others = (0, 1, gateway._wfd) + (() if output else (2,))
        gateway._watchdog = Watchdog(gateway._rfd, others, KILL_BEHIND if gateway._behind else KILL, output)
    if gateway._output:
        gateway._output.start()
    if not gateways:
        notice_forks()  # the watchdog is no child of remote code
    gateways[:] = [ref(gateway)] + [other for other in gateways if other() is not None]
    if not gateway._alone:
        return gateway.serve()
    try:
        gateway.serve()
    finally:
        gateway._bound_shutdown()
