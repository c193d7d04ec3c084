class Executing(object):
    """How a gateway runs the source that comes."""

    def _schedule(self, channel, task):
        model = self.execmodel.backend
        self._running.add(channel)
        if not self.execmodel.green and self._slot.acquire(False):
            self._to_main(channel, task)
        elif model == "main_thread_only":
            self._late.add(channel)
            self._calls.append((channel, task))
            self._call_main()  # the main thread may just have become idle
            self._start(self._refuse_late, channel)
        else:
            self._start(self._execute, channel, task)

    def _to_main(self, channel, task):
        self._tasks.append((channel, task))
        self._wake(self._waiters)

    def _refuse_late(self, channel):
        # The driver cannot know whether the main thread is free after the task before this one.
        deadline = now() + 1
        while channel in self._late and now() < deadline:
            sleep(0.01)
        try:
            self._late.remove(channel)
        except KeyError:
            return  # the main thread has it
        self._close_execution(channel, MAIN_THREAD_ONLY_DEADLOCK_TEXT)
        self._leave(channel)

    def _leave(self, channel, key=None):
        self._running.discard(channel)
        if self._interrupted:
            self._interrupted.discard(key or -channel.id)
        if self._finished:
            self._wake(self._waiters)

    def serve(self):
        try:
            if self._plain:
                self._start_background()
            while not self.execmodel.green:
                if not (self._tasks or self._served and self._read_one(self._newest, self._tasks)):
                    self._wait(lambda: self._tasks or self._finished, self._waiters, None, True)
                if not self._tasks:
                    break
                task = self._tasks.popleft()
                if type(task) is bytes:  # a message for calls, as _read_one reads it
                    self._call_read(task)
                    del task
                    continue
                channel, task = task
                try:
                    if self._background is None:
                        self._start_background()
                except Exception:
                    self._slot.release()
                    self._not_started(channel, task)
                else:
                    self._do(channel, task, self._slot)
                del channel, task
            if self._background is None:
                self._terminate()
            self.join()
        except KeyboardInterrupt:
            self._trace("swallowing keyboardinterrupt, serve finished")
        except MemoryError:
            out_of_memory()

    def _start_background(self):
        if self._background is not None:
            return
        self._background = self._newwaiter()
        try:
            if self.execmodel.green:
                self.execmodel.start(self._read_in_background)
            else:
                if PY2:
                    try:
                        stdlib("threading")  # imported first by the main thread
                    except Exception:
                        pass
                start_thread(self._read_in_background, ())
        except BaseException:
            self._background = None
            raise

    def _do(self, channel, task, slot=None):
        """Do a task: a tuple of four is an execution, of two a call, of three an iteration."""
        if len(task) == 2:
            return self._call(channel, task, slot)
        (self._drop, self._call, self._iterate, self._execute)[len(task) - 1](channel, task, slot)

    def _execute(self, channel, task, slot=None):
        errortext = about = None
        try:
            source, file_name, call_name, kwargs = task
            self._trace("execution starts[%s]: %.50r" % (channel.id, source))
            file_name = nameable(file_name or "<remote exec>")
            channel._executing = True
            try:
                self._begin(-channel.id)
                run(source, file_name, call_name, kwargs, channel)
                self._end_forked()
            except BaseException:
                self._end_forked(sys.exc_info()[1], source, file_name)
                raise
            finally:
                self._settle(-channel.id)
                channel._executing = False
                self._trace("execution finished")
        except KeyboardInterrupt:
            errortext = INTERRUPT_TEXT
        except BaseException as error:
            # When the connection has ended, nobody is there to be told.
            if not (self._channelfactory.finished or is_orderly(error, channel)):
                errortext, about = geterrortext(source, file_name), self._about()
        self._end_execution(channel, slot, errortext, about)

    def _end_execution(self, channel, slot, errortext, about):
        # When the driver sees the channel closed, the worker is idle and its main thread is free.
        if slot is not None:
            slot.release()
            self._call_main()
        self._ending.add(channel)
        self._leave(channel)
        unheard = self._behind and channel._closed
        self._close_execution(channel, errortext, about)
        if unheard:  # the driver has closed it before; the Go worker wants to know all the same
            self._post(CHANNEL_CLOSE, channel.id)
        self._ending.discard(channel)
        if self._finished:
            self._wake(self._waiters)

    def _close_execution(self, channel, errortext, about=None):
        while True:
            try:
                return channel._close(errortext, about)
            except KeyboardInterrupt:
                pass  # the driver waits for the close all the same
            except MemoryError:
                return self._bad_item(channel.id, MemoryError("no memory for the error's text"))
            except IOError:
                return self._trace("could not tell the end of the execution")
            except DumpError:
                about = None  # the class has a name that is no text
