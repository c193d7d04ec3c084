class Writing(object):
    """How a gateway writes messages: each one whole, in order, whatever interrupts it."""

    def _cannot_send(self):
        error = IOError("cannot send (already closed?)")
        error.__cause__ = sys.exc_info()[1]
        raise error

    def _send(self, msgcode, channelid=0, data=b""):
        head = struct.pack("!bii", msgcode, channelid, len(data))
        # A trace that is sent as what is printed is must not tell of that for ever.
        if trace and (channelid or msgcode != CHANNEL_DATA):
            self._trace("sending", Message(msgcode, channelid, data))
        self._write([head, data] if len(data) > CHUNK else [head + data])

    def _write_small(self, data):
        """Write a message of up to ATOMIC bytes, where _fast is set: it is whole or fails whole."""
        lock, held = self._writelock, []
        try:
            held.extend(map(lock.acquire, WAITING))
            if not self._unsent:
                try:
                    self._syswrite(self._wfd, data)
                except (OSError, ValueError):
                    self._cannot_send()
                data = None
        finally:
            if held:
                lock.release()
        if data is not None:
            self._write([data])
        elif self._unsent:
            self._flush_posted()

    def _write(self, parts):
        """Write a message. When this returns, it has been written."""
        lock, held = self._writelock, []
        try:
            held.extend(map(lock.acquire, WAITING))
            self._unsent.append([parts, []])
            if not self._writing:  # otherwise a signal handler calls this in the middle of a write
                self._flush()
        finally:
            if held:
                lock.release()
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
        while self._unsent:
            lock, held = self._writelock, []
            try:
                held.extend(map(lock.acquire, NOWAIT))
                if self._writing or not held[0]:
                    return
                try:
                    self._flush()
                except IOError:
                    pass
            finally:
                if held and held[0]:
                    lock.release()
