class Reading(object):
    """How a gateway reads, and which thread does: see WorkerGateway."""

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
                            self._gen += 1
                            self._leads = False
                            self._role.release()
                            self._role_is_free()
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
            if channelid != id or code != CHANNEL_DATA or n != size - 9 or buf[-1] != CODE_Q:
                return False
            if channel is None:
                if b"B" in buf and not simple_request(buf[9:], self._strconfig):
                    return False  # it may name channels, which must be made before more is read
                item = buf
            elif op == CODE_A and m == n - 6:
                item = buf[14:-1]
            elif op == CODE_F and n == 6:
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
                self._gen += 1
                self._leads = False
                self._role.release()
                if self._armed or self._followers:
                    self._role_is_free()

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

    def _role_is_free(self):
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
        if ready():
            return "again"  # a signal handler has received it since the caller looked
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
                    self._gen += 1
                    self._leads = False
                    self._role.release()
                    self._role_is_free()
        except MemoryError:
            out_of_memory()
        except BaseException:
            complain("execnet worker: cannot read any more:", geterrortext())
        finally:
            if not self._forked:  # a greenlet goes on in the child
                self._finish()
                self._terminate()
