class Ending(object):
    """How a gateway ends, in good order and otherwise."""

    def _finish(self, error=None):
        """The connection has ended: end every channel. A thread then calls _terminate."""
        if self._finished:
            return
        self._trace("finishing receiving", error or "")
        self._orphaned = self._behind and error is not None
        self._leave_in_time(LEAVE_BEHIND if self._orphaned else LEAVE)
        factory = self._channelfactory
        lock, held = self._receivelock, []
        try:
            held.extend(map(lock.acquire, WAITING))
            factory.finish()
            self._error = error
            for channel in factory.channels():
                factory._local_close(channel.id, sendonly=True)
            for id in list(self._callbacks):
                factory._local_close(id, sendonly=True)
            self._finished = True
        finally:
            if held:
                lock.release()
        for waiter in self._followers + self._waiters:
            waiter.set()
        if self._background is not None:
            self._background.set()

    def _terminate(self):
        self._trace("shutting down execution pool")
        if not self._wait_idle(0.2 if self._orphaned else 5.0):
            self._trace("execution ongoing, sending ourselves a SIGINT")
            if sys.platform != "win32":
                os.kill(getpid(), 2)
            else:
                _thread.interrupt_main()
            if not self._wait_idle(10.0):
                self._trace("execution did not finish in another 10 secs, calling os._exit()")
                self._exit()
        self._wait(lambda: not self._ending, self._waiters, now() + 1)
        if self._output:
            self._output.end()
        self._trace("closing read and write")
        if acquire(self._writelock, now() + 1):  # otherwise a thread hangs in a write
            self._unsent.clear()
            self._fast = False
            self._syswritev, self._syswrite, self._sysread = None, closed, closed
            try:
                self._close()
            except (OSError, IOError):
                pass  # remote code has closed the descriptors
            self._writelock.release()
        self._done = True
        self._stop_flushing()
        self._wake(self._waiters)

    def _wait_idle(self, seconds):
        return self._wait(lambda: not self._running, self._waiters, now() + seconds)

    def _leave_in_time(self, limit=LEAVE):
        """Let a process that is this gateway's own last no longer than limit seconds from now on."""
        if self._alone and self._leaving is None:
            self._leaving = now() + limit
            try:
                start_thread(self._exit, (limit,))
            except Exception:
                pass  # there is no thread for it; a signal ends the process one second later

    def _exit(self, delay=0, sleep=sleep):
        # Python 2 clears the names of modules while this thread may just begin. It keeps sleep.
        sleep(delay)
        if self._watchdog is not None:
            self._watchdog.stop()
        os._exit(1)

    def _bound_shutdown(self):
        """Bound what Python does at the end: wait for threads, call atexit handlers, finalize.

        The driver has gone, so the default action of SIGALRM may end the process. It needs no
        thread that runs, and no interpreter.
        """
        over.append(True)
        self._leave_in_time()
        self._watchdog.stop()
        try:
            signal = stdlib("signal" if PY2 else "_signal")
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.setitimer(signal.ITIMER_REAL, max(0.1, self._leaving + KILL - LEAVE - now()))
        except (AttributeError, ValueError):
            pass  # Windows, or this is not the main thread

    def _close(self):
        try:
            for fd in self._spare.union([self._rfd]).difference([self._wfd]):
                os.close(fd)
        finally:
            self._close_wfd()

    def _close_wfd(self):
        os.close(self._wfd)

    def _after_fork(self):
        """Cut the connection, in a child that remote code has just forked."""
        self._forked = True
        self._writelock = self._receivelock = self._role = OfTheParent()
        self._channelfactory._lock = self._role
        if self._sysread is not closed:
            try:
                null = os.open(os.devnull, os.O_RDWR)
                for fd in self._rfd, self._wfd:
                    os.dup2(null, fd)
                    not_inherited(fd)
                os.close(null)
            except OSError:
                pass  # no descriptor is free; nothing here uses them any more

    def _end_forked(self, error=None, *source):
        """End a child that remote code has forked and that has come to the end of its part."""
        if getpid() == self._pid:
            return
        code = 0
        try:
            if isinstance(error, SystemExit):
                code = error.code
                if code is not None and not isinstance(code, int):
                    complain(str(code))
                    code = 1
            elif error is not None:
                code = 1
                complain("in a forked child:", geterrortext(*source))
            for file in sys.stdout, sys.stderr:
                file.flush()
        except BaseException:
            pass  # nothing can be said any more
        finally:
            os._exit((code or 0) & 255)
