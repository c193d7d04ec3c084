class GreenLock(object):
    """A lock that greenlets wait for, of whatever thread. Any of them may release it."""

    def __init__(self, lock, sleep):
        self._lock, self._sleep = lock, sleep
        self.release = lock.release

    def acquire(self, blocking=True):
        while not self._lock.acquire(False):
            if not blocking:
                return False
            self._sleep(0.002)
        return True

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self._lock.release()


class GreenThreads(object):
    """Stands for the module _thread within importlib, so that its locks belong to greenlets.

    Otherwise the greenlets of a thread would all be the one that imports a module, and while that
    waits for the driver another one would execute the module again, or get half of it.
    """

    def __init__(self, thread, execmodel):
        import greenlet
        self._thread, self._sleep, self._current = thread, execmodel.sleep, greenlet.getcurrent

    def get_ident(self):
        return id(self._current())

    def allocate_lock(self):
        return GreenLock(self._thread.allocate_lock(), self._sleep)

    def __getattr__(self, name):
        return getattr(self._thread, name)


def lock_by_greenlets(execmodel):
    if not (PY2 or isinstance(importlib._thread, GreenThreads)):
        importlib._thread = GreenThreads(importlib._thread, execmodel)
