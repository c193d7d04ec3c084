class Dispatching(object):
    """What a gateway does with the messages that it has read."""

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
        lock, held = self._receivelock, []
        try:
            held.extend(map(lock.acquire, WAITING))
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
                        if code == CHANNEL_DATA and op == CODE_A and m == n - 6 and m > size - pos - 14:
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
                if n >= 6 and buf[end - 1] == CODE_Q:
                    _, _, _, op, m = unpack_item(buf, pos)
                if op == CODE_A and m == n - 6:
                    item = buf[start + 5:end - 1]
                elif op == CODE_F and n == 6:
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
        finally:
            if held:
                lock.release()

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
            if task[0] in self._turns:
                self._give_back(channel, task[0])
                return self._turns.pop(task[0])
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
