class Interrupting(object):
    """How a gateway interrupts executions and calls."""

    def _start(self, func, *args):
        """Start a thread. Until it runs nothing is interrupted: see _interrupt."""
        if self.execmodel.green:
            return self.execmodel.start(func, args)
        token = object()
        self._unborn.add(token)
        try:
            self.execmodel.start(self._born, (token, func, args))
        except BaseException:
            self._unborn.discard(token)
            raise

    def _born(self, token, func, args):
        self._unborn.discard(token)
        self._interrupt_postponed()
        func(*args)

    def _interrupt_postponed(self):
        while self._postponed and not self._unborn:
            try:
                key, running = self._postponed.pop()
            except IndexError:
                break
            self._interrupt(key, running)

    def _begin(self, key):
        """From here to _settle this thread runs what has this key."""
        self._threads[key] = self._current()
        if self._interrupted and key in self._interrupted:
            raise KeyboardInterrupt

    def _settle(self, key):
        """When this has returned, no interrupt comes any more for what has this key."""
        while True:
            try:
                if self._threads.pop(key, None) is None and not self.execmodel.green:
                    # There is no lock, since an interrupt could keep a thread from releasing it.
                    self._interrupting.discard(_thread.get_ident())
                    while self._interrupting:
                        sleep(0.0002)
                    take_interrupt()  # what was sent has been sent by now
                    # It may have come when this thread had written something, and was about to
                    # write what others had posted meanwhile.
                    self._flush_posted()
                return
            except KeyboardInterrupt:
                pass

    def _beyond(self, key):
        """Whether what has this key runs where it cannot be interrupted.

        An exception for a thread of Python 2 may come while it takes or leaves a lock, which is
        Python code there, and then the lock stays locked.
        """
        return PY2 and not self.execmodel.green and self._threads.get(key) not in (None, MAIN)

    def _interrupt(self, key, running):
        """Interrupt what has this key, and return True.

        Return False if it has ended, and None if it cannot be interrupted.
        """
        if running not in self._running:
            return False
        if self._beyond(key):
            return None
        me = _thread.get_ident()
        self._interrupting.add(me)
        try:
            self._interrupted.add(key)  # if it has not begun, it ends when it does
            if running not in self._running:
                self._interrupted.discard(key)
            elif self.execmodel.green:
                def throw():
                    found = self._threads.pop(key, None)
                    if found is not None:
                        found.throw(KeyboardInterrupt)
                self.execmodel.call_soon(throw)
            elif self._unborn:
                # Before Python 3.12 a thread that does not run yet has the identity of the one that
                # has started it, and would get the exception that is meant for that.
                self._postponed.append((key, running))
            else:
                thread = self._threads.pop(key, None)
                if thread is not None:
                    interrupt_thread(thread)
        finally:
            self._interrupting.discard(me)
        for waiter in list(self._followers):
            waiter.set()  # a thread that waits for an item cannot be interrupted
        self._interrupt_postponed()
        return True


def interrupt_thread(thread):
    """Raise KeyboardInterrupt in a thread of Python, as soon as it executes Python.

    The main thread gets SIGINT, which also ends most of what waits, if that has a handler.
    """
    if thread == MAIN:
        signal = stdlib("signal" if PY2 else "_signal")
        if callable(signal.getsignal(2)) and signal.getsignal(2) not in (0, 1):
            if hasattr(signal, "pthread_kill"):
                signal.pthread_kill(MAIN, 2)
            elif sys.platform == "win32":
                _thread.interrupt_main()
            else:
                try:
                    ctypes = stdlib("ctypes")
                    ctypes.CDLL(None).pthread_kill(ctypes.c_ulong(MAIN), 2)
                except (ImportError, AttributeError, OSError):
                    os.kill(getpid(), 2)  # another thread may get it
            return
    try:
        set_async_exception(thread, KeyboardInterrupt)
    except (ImportError, AttributeError):
        pass  # there is no ctypes, or it has no such function


def take_interrupt():
    """Have an interrupt that was sent to this thread raise KeyboardInterrupt in here, or nowhere."""
    if "ctypes" in sys.modules or "ctypes" in private:
        try:
            set_async_exception(_thread.get_ident(), None)
        except (ImportError, AttributeError):
            pass
    # The system delivers a signal at the end of a system call, if not before. Then Python handles
    # it.
    getattr(os, "getppid", os.getpid)()
    for _ in range(100):
        pass


def set_async_exception(thread, kind):
    # (PyPy's own function for this can leave all of its threads waiting for the global lock.)
    ctypes = stdlib("ctypes")
    number = ctypes.c_ulong if sys.version_info >= (3, 7) else ctypes.c_long
    ctypes.pythonapi.PyThreadState_SetAsyncExc(number(thread), kind and ctypes.py_object(kind))
