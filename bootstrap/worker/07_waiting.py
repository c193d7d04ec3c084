# What threads and greenlets wait with, and large items that are read piece by piece.


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
        return self.tail[0] == CODE_Q

    def take(self):
        if not self.whole():
            raise LoadError("no STOP after %d bytes" % self.size)
        self.view.release()
        return self.item.getvalue()

    def rest(self):
        return self.tail[1:sum(self.counts) - self.size].tobytes()


def make_reserve():
    """Memory to give back when it is short. If it is new, it costs nothing: the system provides it
    when used. What was in use before is cleared.
    """
    return b"\0" * (1 << 19) if PY2 else bytes(2 << 20)


reserves = [make_reserve()]  # made before a fork, it is no memory of the child's own


def take_reserve():
    try:
        return reserves.pop()
    except IndexError:
        return make_reserve()


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
