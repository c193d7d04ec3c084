# A channel: what remote code uses.


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
            elif self.gateway._pid == getpid():  # not in a forked child
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
                while True:
                    before = self._heard  # read first: the other end may say something meanwhile
                    if self._sent < self._limit or self._closed or gateway._finished:
                        break
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
        lock, held = gateway._receivelock, []
        try:
            held.extend(map(lock.acquire, WAITING))
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
        finally:
            if held:
                lock.release()

    def reconfigure(self, py2str_as_py3str=True, py3str_as_py2str=False):
        self._strconfig = (py2str_as_py3str, py3str_as_py2str)
        self.gateway._send(RECONFIGURE, self.id, dumps(self._strconfig))
