class ReadingFrames(object):
    """How frames are read, and which thread does."""

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
                        if op == CODE_A and m == n - 6 and m > size - 14:
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
