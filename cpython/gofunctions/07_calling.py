class Calling(object):
    """How a thread calls a function, and waits for what it returns."""

    def call(self, function, args, kwargs):
        if self.gateway._forked:
            raise RuntimeError(
                "%s(): a forked child cannot call the Go functions of its parent (process %d)"
                % (function._dotted, self.gateway._pid))
        channel = calling_channel(self.gateway) if function._execution else None
        # The tuple (function, channel, args, kwargs).
        parts = [function._name + pack_i4(b"F", channel.id) if channel else function._alone]
        if kwargs or PY2 or not save_plain(args, parts):
            return self._call(function, args, kwargs, channel, Answer(parts[:1]))
        return self.ask(parts, (channel, args, kwargs), function._channel)

    def _call(self, function, args, kwargs, channel, parts):
        """The same for arguments of any kind."""
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
        calls, number = self._calls, next(self._numbers) & 0x7fffffff
        while number in calls:
            number = next(self._numbers) & 0x7fffffff
        call, over = GoCall(), False
        call.gateway, call.number, call.given, call.by_gateway, call.frames = self.gateway, number, given, by_gateway, []
        try:
            calls[number] = call
            data = self._exchange(number, parts) if self._fast and not by_gateway else None
            if data:
                over = True
                return load_result(data, call, 9)
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
            calls.pop(number, None)
            if not over:
                # An interrupt, mostly. Go cancels the function's context, and answers all the same.
                try:
                    self.send(ABANDON, call)
                except (IOError, OSError):
                    pass

    def _exchange(self, number, parts):
        """The fast path: send a small call. Return the frame of its result if that is all that comes.

        If something else comes, return b"": what was read is kept for _hand. Return None if nothing
        was sent.
        """
        body = b"".join(parts)
        size = len(body)
        if size > ATOMIC - 9 or self._leading:
            return None
        held, leads = [], False
        try:
            held.extend(map(self._take_role, NOWAIT))
            if not held[0]:
                return None
            leads = self._leading = True  # first: a signal handler may call, too
            buf, pos, chunks, used, large, counted = state = self._in
            if chunks or large or pos != len(buf):
                return None
            locked = []
            try:
                locked.extend(map(self._take_writelock, WAITING))
                if self._unsent:
                    return None
                try:
                    self._syswrite(self._wfd, HEAD(CALL, number, size) + body)
                except (OSError, ValueError):
                    self._cannot_send()
            finally:
                if locked:
                    self._writelock.release()
            chunks.extend(map(self._sysread, self._from, self._expected))
            data = chunks[0]
            size = len(data) - 9
            if size > 0 and unpack_head(data) == (RESULT, number, size) and len(chunks) == 1 and self._in is state:
                self._in = b"", 0, [], 0, None, counted + 1
                if self._expected is not SMALL and size < SMALL[0] - 9:
                    self._expected = SMALL
                return data
            if not data:
                self._end(GONE)
            if len(data) == SMALL[0]:
                self._expected = LARGER
            return b""
        finally:
            if held and held[0]:
                if leads:
                    self._leading = False
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


def within_call():
    """Whether this thread calls a Go function already: the stack knows it, whatever interrupts."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code is not ASK:
        frame = frame.f_back
    return frame is not None


ASK = Calling.__dict__["ask"].__code__
