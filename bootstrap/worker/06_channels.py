# All channels of a gateway, and files made of channels.


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

    Where an interrupt may come, a lock is taken by C code alone that notes it in the same step, as
    in held.extend(map(lock.acquire, WAITING)), within the try whose finally unlocks it, and that
    begins with the release. In Python 3.14 an interrupt may come between what a with statement
    calls first and its body, and then nobody would unlock the lock.
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
        lock, held = self._lock, []
        try:
            held.extend(map(lock.acquire, WAITING))
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
        finally:
            if held:
                lock.release()

    def finish(self):
        """From now on there are no new channels."""
        lock, held = self._lock, []
        try:
            held.extend(map(lock.acquire, WAITING))
            self.finished = True
        finally:
            if held:
                lock.release()

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
