"""The threads of one execution, on top of _thread."""
import _thread
import time
import traceback

get_ident = _thread.get_ident
Lock = _thread.allocate_lock
ThreadError = _thread.error
TIMEOUT_MAX = _thread.TIMEOUT_MAX

_threads = {}  # those that run, by their identities
_counts = {"Thread": 0, "Dummy": 0}


def _new_name(kind):
    _counts[kind] += 1
    return "%s-%d" % (kind, _counts[kind])


class RLock:
    def __init__(self):
        self._lock = Lock()
        self._owner = None
        self._depth = 0

    def acquire(self, blocking=True, timeout=-1):
        me = get_ident()
        if self._owner == me:
            self._depth += 1
            return True
        if not self._lock.acquire(blocking, timeout):
            return False
        self._owner = me
        self._depth = 1
        return True

    def release(self):
        if self._owner != get_ident():
            raise RuntimeError("cannot release un-acquired lock")
        self._depth -= 1
        if self._depth == 0:
            self._owner = None
            self._lock.release()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *details):
        self.release()

    def _give_up(self):
        depth = self._depth
        self._owner = None
        self._depth = 0
        self._lock.release()
        return depth

    def _take_back(self, depth):
        self._lock.acquire()
        self._owner = get_ident()
        self._depth = depth

    def _is_mine(self):
        return self._owner == get_ident()


class Condition:
    def __init__(self, lock=None):
        self._lock = RLock() if lock is None else lock
        self._waiting = []  # a locked lock for each

    def acquire(self, *args, **kwargs):
        return self._lock.acquire(*args, **kwargs)

    def release(self):
        self._lock.release()

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *details):
        self.release()

    def _is_mine(self):
        if isinstance(self._lock, RLock):
            return self._lock._is_mine()
        return self._lock.locked()

    def wait(self, timeout=None):
        if not self._is_mine():
            raise RuntimeError("cannot wait on un-acquired lock")
        turn = Lock()
        turn.acquire()
        self._waiting.append(turn)
        nested = isinstance(self._lock, RLock)
        if nested:
            depth = self._lock._give_up()
        else:
            self._lock.release()
        came = False
        try:
            came = turn.acquire() if timeout is None else turn.acquire(True, max(timeout, 0))
        finally:
            if nested:
                self._lock._take_back(depth)
            else:
                self._lock.acquire()
            if not came:
                self._waiting = [other for other in self._waiting if other is not turn]
        return came

    def wait_for(self, predicate, timeout=None):
        end = None if timeout is None else time.monotonic() + timeout
        holds = predicate()
        while not holds:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                break
            self.wait(left)
            holds = predicate()
        return holds

    def notify(self, n=1):
        if not self._is_mine():
            raise RuntimeError("cannot notify on un-acquired lock")
        called = self._waiting[:n]
        self._waiting = self._waiting[n:]
        for turn in called:
            turn.release()

    def notify_all(self):
        self.notify(len(self._waiting))


class Event:
    def __init__(self):
        self._changed = Condition(Lock())
        self._flag = False

    def is_set(self):
        return self._flag

    def set(self):
        with self._changed:
            self._flag = True
            self._changed.notify_all()

    def clear(self):
        with self._changed:
            self._flag = False

    def wait(self, timeout=None):
        with self._changed:
            if not self._flag:
                self._changed.wait(timeout)
            return self._flag


class Semaphore:
    def __init__(self, value=1):
        if value < 0:
            raise ValueError("semaphore initial value must be >= 0")
        self._changed = Condition(Lock())
        self._value = value

    def acquire(self, blocking=True, timeout=None):
        if not blocking and timeout is not None:
            raise ValueError("can't specify timeout for non-blocking acquire")
        with self._changed:
            if not self._changed.wait_for(lambda: self._value > 0, timeout if blocking else 0):
                return False
            self._value -= 1
        return True

    def release(self, n=1):
        if n < 1:
            raise ValueError("n must be one or more")
        with self._changed:
            self._value += n
            self._changed.notify(n)

    def __enter__(self):
        return self.acquire()

    def __exit__(self, *details):
        self.release()


class Thread:
    def __init__(self, group=None, target=None, name=None, args=(), kwargs=None, *, daemon=None):
        if group is not None:
            raise ValueError("group argument must be None for now")
        if name is None:
            name = _new_name("Thread")
            if hasattr(target, "__name__"):
                name += " (%s)" % target.__name__
        self.name = str(name)
        self.daemon = bool(daemon)
        self.ident = None
        self._target = target
        self._args = tuple(args)
        self._kwargs = {} if kwargs is None else kwargs
        self._begun = Event()
        self._ended = Event()
        self._started = False

    def __repr__(self):
        state = "initial"
        if self._ended.is_set():
            state = "stopped"
        elif self._started:
            state = "started"
        if self.daemon:
            state += " daemon"
        if self.ident is not None:
            state += " %s" % self.ident
        return "<%s(%s, %s)>" % (type(self).__name__, self.name, state)

    def start(self):
        if self._started:
            raise RuntimeError("threads can only be started once")
        self._started = True
        _thread.start_new_thread(self._main, ())
        self._begun.wait()

    def run(self):
        if self._target is not None:
            self._target(*self._args, **self._kwargs)

    def _main(self):
        self.ident = get_ident()
        _threads[self.ident] = self
        self._begun.set()
        try:
            self.run()
        except (SystemExit, KeyboardInterrupt):
            pass
        except:
            _thread._complain("Exception in thread %s:\n%s" % (self.name, traceback.format_exc()))
        finally:
            del _threads[self.ident]
            self._ended.set()

    def join(self, timeout=None):
        if not self._started:
            raise RuntimeError("cannot join thread before it is started")
        if self.ident == get_ident():
            raise RuntimeError("cannot join current thread")
        self._ended.wait(timeout)

    def is_alive(self):
        return self._started and not self._ended.is_set()


class Timer(Thread):
    def __init__(self, interval, function, args=None, kwargs=None):
        Thread.__init__(self)
        self.interval = interval
        self.function = function
        self.args = [] if args is None else args
        self.kwargs = {} if kwargs is None else kwargs
        self.finished = Event()

    def cancel(self):
        self.finished.set()

    def run(self):
        self.finished.wait(self.interval)
        if not self.finished.is_set():
            self.function(*self.args, **self.kwargs)
        self.finished.set()


def _known(name, ident):
    thread = Thread(name=name)
    thread._started = True
    thread.ident = ident
    _threads[ident] = thread
    return thread


_main = _known("MainThread", _thread._main)


def main_thread():
    return _main


def current_thread():
    ident = get_ident()
    if ident not in _threads:
        return _known(_new_name("Dummy"), ident)
    return _threads[ident]


def enumerate():
    return list(_threads.values())


def active_count():
    return len(_threads)
