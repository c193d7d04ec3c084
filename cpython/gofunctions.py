"""The functions of a Go worker, as modules of the Python that runs behind it.

gofinder.py executes this in the namespace of the Python worker. A call goes to the Go process over two
pipes of its own, as section 7.11 of protocol.md says. A call that may use channels
goes over the gateway's pipe instead, so that it arrives behind what was sent before; its answers
come over the pipe for calls.

A thread that waits for an answer reads the pipe itself, and hands to the others what is theirs. One
reads at a time: the one that holds _role.
"""
from itertools import count

CALL, RECEIVE, WAITCLOSE, ITEM, ENDED, ERROR, RESULT, CANCEL, ABANDON, WAKE, BROKEN = range(11)
FROM_GO = frozenset([RECEIVE, WAITCLOSE, ITEM, ERROR, RESULT, CANCEL, WAKE, BROKEN])
LOOK = 0.05  # seconds between looks for a cancellation while a thread receives for a Go function
MOST_PARTS = 500  # of one write: systems take 1024 at the most
PLAIN = frozenset([int, float, bool, bytes, text, type(None)])
HEAD = struct.Struct("!bii").pack
GONE = "the Go worker has ended"


class GoFunction(object):
    """A Go function. Like a built-in function it is not bound to the objects of a class."""

    def __init__(self, functions, module, name, signature, doc, channel, execution):
        self.__module__, self.__name__, self.__qualname__ = module, name, name
        self.__doc__ = doc
        self._functions, self._signature = functions, signature
        self._channel, self._execution = channel, execution  # whether Go uses these of the caller
        self._dotted = "%s.%s" % (module, name)
        # What a call begins with: its name, serialized.
        sent = []
        save(self._dotted.decode("utf-8") if PY2 else self._dotted, sent.append)
        self._prefix = b"".join(sent)

    def __call__(*args, **kwargs):  # self would be the name of a keyword argument
        return args[0]._functions.call(args[0], args[1:], kwargs)

    def __get__(self, instance, owner=None):
        return self

    def __repr__(self):
        return "<Go function %s>" % self._dotted

    def __reduce__(self):
        return self.__name__  # pickled by reference, as functions are

    def takes_bytes(self, i, args):
        """Whether Go wants bytes for the argument with this index."""
        if self._channel and type(args[0]) is Channel:
            i -= 1
        return "arg%d: bytes" % (i + 1) in self._signature or "*args: bytes" in self._signature

    @property
    def __signature__(self):
        """What inspect.signature returns, made of the text of Python's parameters."""
        text = self._signature
        if sys.version_info < (3, 8):
            text = text.replace("/, ", "").replace(", /", "")
        names = {}
        exec("def function%s: pass" % text, names)
        return stdlib("inspect").signature(names["function"])


class GoCall(object):
    """A call under way, and the frames that have come for it.

    To loads() it is a gateway with its channels, because a closed channel is in no table any more.
    """
    __slots__ = "gateway", "number", "given", "by_gateway", "frames", "seen", "waiter", "kept"
    _channelfactory = property(lambda self: self)

    def __init__(self, gateway, number, given, by_gateway):
        self.gateway, self.number, self.given, self.by_gateway = gateway, number, given, by_gateway
        self.frames = []  # at most a few: Go sends one, or cancels what it has sent
        self.seen = 0  # the count of the last frame taken
        self.waiter = None
        self.kept = ()  # items with channels that Go has: without a reference these would close

    def new(self, id):
        """The channel with this id: one that Go was given, if it has it from here."""
        channel = self.gateway._channelfactory.get(id)
        if channel is None:
            channel = find_channel((self.given, self.kept), id)
        return channel or self.gateway._channelfactory.new(id)

    def next(self):
        """The next frame that has come, or None. A frame may be handed over twice: see _hand."""
        while self.frames:
            counted, code, data = self.frames.pop(0)
            if counted > self.seen:
                self.seen = counted
                return code, data


class GoFunctions(Writing, Locked):
    """Loads the modules and makes the calls. Frames are written as messages are."""

    def __init__(self, finder):
        self.finder, self.gateway = finder, finder.gateway
        gateway, model = self.gateway, self.gateway.execmodel
        self._newwaiter, self._poll = gateway._newwaiter, gateway._poll
        self._sysread, self._syswrite = gateway._sysread, gateway._syswrite
        if PY2 and not model.green:
            self._sysread = os.read  # an interrupt within a function of Python would lose bytes
        self._syswritev = gateway._syswritev
        self._fast, self._large = gateway._fast, gateway._large
        self.described = loads(finder.described)  # name -> {function: what GoFunction takes}
        if finder.pipes:
            self._rfd, self._wfd = finder.pipes
        # The reentrant lock of Python 2 is written in Python, and an interrupt within it breaks it.
        newlock = allocate if PY2 else gateway._newlock
        self._writelock, self._role = [GreenLock(model) if model.green else newlock() for _ in "ab"]
        # Whether a signal handler may call while its thread does.
        self._nests = model.green or sys.version_info >= (3, 11)
        self._unsent = deque()
        self._writing = False
        # The bytes read, how many of them are handed on, the chunks read, how many of these are
        # part of the bytes already, the Large result that is being read, and how many frames there
        # were.
        self._in = b"", 0, [], 0, None, 0
        self._need = 9
        self._calls = {}  # those under way, by number
        self._followers = []  # those whose threads wait for another one that reads
        self._numbers = count()
        self._leading = False  # whether a thread reads, or will do so without looking again
        self._why = None  # why no call can be made any more

    # -- modules

    def spec(self, name):
        spec = sys.modules["_frozen_importlib"].ModuleSpec(name, self, origin="Go")
        if name in self.finder.packages:
            spec.submodule_search_locations = []
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        if not self.finder.pipes:
            raise ImportError(
                "the Go functions of %s cannot be called: what starts this interpreter (%s) "
                "closes the descriptors that the Go worker passes on" % (name, sys.executable))
        found = self.described.get(text(name), {})
        if found:
            module.__all__ = sorted(name.encode("utf-8") if PY2 else name for name in found)
        module.__doc__ = "Go functions of this worker."
        for function, about in found.items():
            function = function.encode("utf-8") if PY2 else function
            setattr(module, function, GoFunction(self, name, function, *about))

    def load_module(self, name):  # Python 2
        module = sys.modules.get(name)
        if module is not None:  # it is reloaded
            self.exec_module(module)
            return module
        module = sys.modules[name] = type(sys)(name)
        module.__loader__, module.__package__ = self, name.rpartition(".")[0]
        if name in self.finder.packages:
            module.__path__, module.__package__ = [], name
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def is_package(self, name):
        return name in self.finder.packages

    def get_source(self, name):
        return None

    get_code = get_source

    # -- calls

    def call(self, function, args, kwargs):
        if self.gateway._forked:
            raise RuntimeError(
                "%s(): a forked child cannot call the Go functions of its parent (process %d)"
                % (function._dotted, self.gateway._pid))
        channel = calling_channel(self.gateway) if function._execution else None
        # The tuple (function, channel, args, kwargs).
        parts = Answer((function._prefix, pack_i4(b"F", channel.id) if channel else b"F\0\0\0\0"))
        write, channels = parts.append, bool(kwargs)  # whether there may be channels in it
        try:
            for i, arg in enumerate(args):
                if type(arg) not in PLAIN and is_a(arg, "numpy", "ndarray") and function.takes_bytes(i, args):
                    arg = buffer_of(arg)
                if type(arg) is bytes and (not PY2 or function.takes_bytes(i, args)):
                    write(pack_i4(b"A", len(arg)))  # elsewhere Go takes Python 2's str for text
                    write(arg)
                else:
                    save(arg, write)
                    channels = channels or type(arg) not in PLAIN
            write(pack_i4(b"@", len(args)))
            if kwargs:
                save(kwargs, write)
            else:
                write(b"J")
        except (DumpError, UnicodeError, RuntimeError, struct.error):
            parts = None
        if parts is None:
            raise TypeError(refusal(function, args, kwargs))
        write(b"@\0\0\0\4Q")
        return self.ask(parts, (channel, args, kwargs), function._channel or channels and names_channels(parts))

    def ask(self, parts, given, by_gateway):
        """Send a call and return what Go answers to it. given is what it was made of."""
        if not self._nests and within_call():
            raise RuntimeError("before Python 3.11 a signal handler cannot call a Go function while its thread calls one")
        if self._why:
            raise IOError(self._why)
        number = next(self._numbers) & 0x7fffffff
        while number in self._calls:
            number = next(self._numbers) & 0x7fffffff
        call, over = GoCall(self.gateway, number, given, by_gateway), False
        try:
            self._calls[call.number] = call
            data = self._exchange(call, parts) if self._fast and not by_gateway else None
            if data:
                over = True
                return load_result(data, call)
            if data is None:
                self.send(CALL, call, parts)
            while True:
                frame = call.next()
                if frame is None:
                    self._follow(call)
                    continue
                code, data = frame
                if code == RESULT:
                    over = True
                    if type(data) is Large:
                        return data.take()
                    return load_result(data, call)
                if code == ERROR:
                    over = True
                    raise exception(*loads(data))
                if code == RECEIVE or code == WAITCLOSE:
                    self._receive_for(call, code, loads(data, call))
                elif code == CANCEL:
                    self.send(CANCEL, call)
                elif code == ITEM:
                    give_back(*loads(data, call))
        finally:
            self._calls.pop(call.number, None)
            if not over:
                # An interrupt, mostly. Go cancels the function's context, and answers all the same.
                try:
                    self.send(ABANDON, call)
                except (IOError, OSError):
                    pass

    def _exchange(self, call, parts):
        """The fast path: send a small call, and return its result if that is all that comes.

        If something else comes, return b"": what was read is kept for _hand. Return None if nothing
        was sent.
        """
        body = b"".join(parts)
        size = len(body)
        if size > ATOMIC - 9:
            return None
        held, leading = [], self._leading
        try:
            held.extend(map(self._role.acquire, NOWAIT))
            buf, pos, chunks, used, large, counted = state = self._in
            if leading or chunks or large or pos != len(buf) or not held[0]:
                return None
            self._leading = True
            lock, locked = self._writelock, []
            try:
                locked.extend(map(lock.acquire, WAITING))
                if self._unsent:
                    return None
                try:
                    self._syswrite(self._wfd, HEAD(CALL, call.number, size) + body)
                except (OSError, ValueError):
                    self._cannot_send()
            finally:
                if locked:
                    lock.release()
            chunks.extend(map(self._sysread, (self._rfd,), (ATOMIC,)))
            data = chunks[0]
            size = len(data) - 9
            if size > 0 and unpack_head(data) == (RESULT, call.number, size) and len(chunks) == 1 and self._in is state:
                self._in = b"", 0, [], 0, None, counted + 1
                return data[9:]
            if not data:
                self._end(GONE)
            return b""
        finally:
            if held and held[0]:
                self._leading = leading
                self._role.release()
                if self._followers:
                    self._promote()

    def send(self, code, call, parts=()):
        size = sum(map(len, parts))
        if size > MAX_SIZE - 9:
            raise DumpError("cannot serialize the arguments: they take more than %d bytes" % MAX_SIZE)
        head = HEAD(code, call.number, size)
        if call.by_gateway and (code == CALL or code == ABANDON):
            data = b"".join([head] + list(parts))
            return self.gateway._send(CHANNEL_DATA, self.finder.channel_id, data)
        if size < ATOMIC - 9:
            data = b"".join([head] + list(parts))
            return self._write_small(data) if self._fast else self._write([data])
        # Large parts are written from where they are.
        pieces, small = [], [head]
        for part in parts:
            if len(part) > CHUNK:
                pieces += [b"".join(small), part]
                small = []
            else:
                small.append(part)
        pieces.append(b"".join(small))
        self._write(pieces if len(pieces) < MOST_PARTS else [b"".join(pieces)])

    def _cannot_send(self):
        raise IOError(self._why or GONE)

    def _end(self, why):
        """Let all calls raise this, those under way and those to come."""
        self._why = self._why or why
        raise IOError(self._why)

    # -- receiving for Go functions

    def _receive_for(self, call, code, channel):
        """Receive for the function until something has come, or it wants nothing any more."""
        what, data = ENDED, []
        while not call.frames:
            try:
                if code == WAITCLOSE:
                    channel.waitclose(LOOK)
                else:
                    item = channel.receive(LOOK)
                    what = ITEM
                    save(item, data.append)
                    data.append(b"Q")
                    if names_channels(data):
                        call.kept += item,
            except channel.TimeoutError:
                self._look()
                continue
            except EOFError:
                pass
            except Exception:
                kind, error = sys.exc_info()[:2]
                name = u"callback" if channel._items is None else text(kind.__name__)
                what, data = ERROR, [dumps((name, sendable(str_of(error))))]
            return self.send(what, call, data)

    def _look(self):
        """Read what has come, without waiting."""
        held = []
        try:
            held.extend(map(self._role.acquire, NOWAIT))
            if held[0]:
                self._lead(self._readable)
        finally:
            if held and held[0]:
                self._role.release()
                self._promote()

    def _readable(self):
        if sys.platform == "win32":
            import _winapi
            import msvcrt
            return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(self._rfd), 0)[0] > 0
        return self._poll(self._rfd, 0)

    # -- reading

    def _follow(self, call):
        """Wait until a frame has come for the call, and read if nobody else does."""
        try:
            while not call.frames:
                held = []
                try:
                    held.extend(map(self._role.acquire, NOWAIT))
                    if held[0]:
                        self._lead(lambda: not call.frames)
                        return
                finally:
                    if held and held[0]:
                        self._role.release()  # at once: no interrupt comes before a call of C code
                        self._promote()
                if call.waiter is None:
                    call.waiter = self._newwaiter()
                if call not in self._followers:
                    self._followers.append(call)  # and once more: who reads may have stopped
                    continue
                call.waiter.wait()
        finally:
            if call.waiter is not None:
                if call in self._followers:
                    self._followers.remove(call)
                self._promote()

    def _lead(self, wanted):
        """Read as long as wanted(). The caller holds the role."""
        nested, self._leading = self._leading, True
        try:
            if nested and self._in[4]:
                raise RuntimeError("a signal handler has called a Go function while a large result is read")
            self._hand(nested)
            while wanted():
                self._read()
                self._hand(nested)
        finally:
            self._leading = nested
            if nested:
                # A signal handler has interrupted this thread's reading, which goes on when it
                # returns, and what that waits for may have come just now.
                self._write([HEAD(WAKE, 0, 0)])

    def _promote(self):
        """Wake another thread that waits. It reads now, if nobody does."""
        for call in self._followers[:1]:
            call.waiter.set()

    def _read(self):
        """Read once. The caller holds the role.

        What was read is stored by the C code that has read it, so that an interrupt loses nothing.
        """
        _, _, chunks, _, large, _ = self._in
        try:
            if large:
                large.counts.extend(map(os.readv, (self._rfd,), large))
                ended = not large.counts[-1]
            else:
                chunks.extend(map(self._sysread, (self._rfd,), (CHUNK,)))
                ended = not chunks[-1]
        except OSError:
            if sys.exc_info()[1].errno != 4:
                raise
            ended = False  # Python 2: a signal has interrupted it
        if ended:
            self._end(GONE)

    def _hand(self, nested):
        """Hand the frames that have been read to their calls. The caller holds the role.

        A frame is handed over before it is noted that it was. So an interrupt between the two loses
        none, and a call that gets one twice knows it by its count. A signal handler may call a Go
        function and do the same meanwhile (nested). Then _in has become another tuple. The list of
        chunks has not: the read that the handler has interrupted will put its bytes there.
        """
        while True:
            buf, pos, chunks, used, large, counted = state = self._in
            if large:
                if not large.done():
                    return
                number, code, data = large.id, RESULT, large
                after = large.rest(), 0, [], 0, None, counted + 1
            else:
                many = len(chunks)
                if many > used:
                    if len(buf) - pos + sum(map(len, chunks[used:])) < self._need:
                        return
                    fresh = chunks[used:many]
                    joined = fresh[0] if pos == len(buf) and len(fresh) == 1 else b"".join([buf[pos:]] + fresh)
                    after = (joined, 0, chunks, many, None, counted) if nested else (joined, 0, [], 0, None, counted)
                    if self._in is state and many == len(chunks):
                        self._in = after
                    continue
                if used and not nested:
                    if self._in is state and many == len(chunks):
                        self._in = buf, pos, [], 0, None, counted
                    continue
                size = len(buf) - pos
                if size < 9:
                    self._need = 9
                    return
                code, number, n = unpack_head(buf, pos)
                if n < 0 or code not in FROM_GO:
                    self._end("no Go function can be called any more, because of what has come "
                              "from the Go worker: %r is no head of a frame" % (buf[pos:pos + 9],))
                if size < n + 9:
                    self._need = n + 9
                    if code == RESULT and self._large and LARGE < n < 1000 * LARGE and size >= 14 and not nested:
                        _, _, _, op, m = unpack_item(buf, pos)
                        if op == 65 and m == n - 6 and m > size - 14:
                            large = Large(number, m, buf[pos + 14:])
                            if self._in is state and many == len(chunks):
                                self._in = b"", 0, [], 0, large, counted
                    return
                data = buf[pos + 9:pos + 9 + n]
                if code == BROKEN:
                    self._end(data if PY2 else data.decode("utf-8", "replace"))
                after = buf, pos + 9 + n, chunks, used, None, counted + 1
            call = self._calls.get(number)
            if call is not None:
                call.frames.append((counted + 1, code, data))
            elif code == ITEM:  # the call was interrupted after its thread had received
                give_back(*loads(data, self.gateway))
            if self._in is state:
                self._in = after
            if call is not None and call.waiter is not None:
                call.waiter.set()


def within_call():
    """Whether this thread calls a Go function already: the stack knows it, whatever interrupts."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not ASK:
        frame = frame.f_back
    return frame is not None


ASK = GoFunctions.__dict__["ask"].__code__


def load_result(data, call):
    """loads(data, call), but quicker for a single number or text, and for bytes."""
    op, size = data[:1], len(data)
    if op == b"F" and size == 6:
        return unpack_i4(data, 1)[0]
    if op == b"A" and size == unpack_i4(data, 1)[0] + 6:
        return data[5:-1]
    if op == b"N" and size == unpack_i4(data, 1)[0] + 6:
        return data[5:-1].decode("utf-8")
    if data == b"LQ":
        return None
    return loads(data, call)


def give_back(channel, item):
    """Put back what was received for a function that did not want it any more."""
    if channel._items is not None:
        channel._items.appendleft(item)
        channel.gateway._wake(channel._waiters)


def names_channels(parts):
    """Whether a saved value may contain a channel: it does if there is one."""
    for part in parts:
        if len(part) == 5 and part[:1] == b"B":
            return True
    return False


def find_channel(value, id):
    """The channel with this id in a value, or None."""
    if type(value) is Channel:
        return value if value.id == id else None
    if type(value) is dict:
        value = list(value) + list(value.values())
    if type(value) in (list, tuple, set, frozenset):
        for item in value:
            found = find_channel(item, id)
            if found is not None:
                return found
    return None


def calling_channel(gateway):
    """The channel of the execution whose code calls, None if there is none or it has ended."""
    frame = sys._getframe(2)
    while frame is not None:
        names = frame.f_globals
        if names.get("__name__") == EXECUTION:
            channel = names.get("channel")
            if type(channel) is Channel and channel._executing:
                return channel
            for id_, scope in list(getattr(ExecutionModule, "scopes", ())):
                if scope == id(names):  # the program has given the name to something else
                    return find_channel(list(gateway._running), id_)
            return None
        frame = frame.f_back
    return None


def refusal(function, args, kwargs):
    """Why a function cannot be called with these arguments."""
    named = [("argument %d" % (i + 1), arg) for i, arg in enumerate(args)]
    named += [("argument %s" % shown(name), kwargs[name]) for name in kwargs]
    for name, arg in named:
        try:
            save(arg, [].append)
        except (DumpError, UnicodeError, RuntimeError, struct.error):
            path, problem = find_fault(arg, str_of(sys.exc_info()[1]))
            if path:
                name += ", " + path
            if callable(arg):
                problem = "a Go function cannot call back into Python; give it a channel instead"
            return "%s() %s: %s" % (function._dotted, name, problem)
    return "%s(): the arguments cannot be sent: they changed meanwhile" % function._dotted


def str_of(error):
    try:
        return str(error)
    except UnicodeError:  # Python 2
        return text(error)


def exception(classes, message, channel_id, frames):
    """The exception for the error of a Go function.

    classes are the class's name and those of its bases: this Python may not have all of them.
    channel_id is that of the channel whose end it is. frames tell where in Go a panic was.
    """
    builtins = sys.modules["__builtin__" if PY2 else "builtins"]
    if frames and sys.version_info < (3, 11):
        message += u"\n" + frames
    if PY2:
        message = message.encode("utf-8")
    for name in classes:
        ours = name.startswith(u"execnet.gateway_base.")
        kind = globals().get(name[21:]) if ours else getattr(builtins, str(name), None)
        try:
            error = kind(message) if message or name == u"execnet.gateway_base.RemoteError" else kind()
            break
        except Exception:
            pass  # there is none of this name, or it takes other arguments, as UnicodeDecodeError
    else:
        error = RuntimeError(message)
    if channel_id is not None:
        error.channelid = channel_id
    if frames and sys.version_info >= (3, 11):
        error.add_note(frames)
    return error
