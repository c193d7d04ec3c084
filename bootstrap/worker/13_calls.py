class Calling(object):
    """How a gateway serves calls (protocol.md section 6.8)."""

    def _serve_calls(self, channel):
        channel._items = None  # so what comes does not become items
        self._served[channel.id] = channel
        self._newest = channel.id
        self._post(CHANNEL_DATA, channel.id, dumps(True))

    def _call_read(self, message):
        """Do what the message asks for that the idle main thread has read: a call, as a rule."""
        _, id, _, _, n = unpack_item(message)
        channel, request = self._served.get(id), None
        try:
            request = load_request(message[9:], self, channel._strconfig)
        except Exception:
            pass
        if request and len(request) == 3 and self._background is not None:
            self._running.add(n)
            if self._slot.acquire(False):
                self._call(channel, (n, request), self._slot)
            else:
                self._schedule_call(channel, (n, request), n)
        elif channel is not None:
            self._request(channel, message[9:], request)

    def _request(self, channel, data, request=None):
        """Do what a message on a channel for calls asks for, or have it done. This never waits.

        request is what the message holds, if that has been loaded.
        """
        try:
            n = unpack_i4(data, 1)[0]
        except struct.error:
            return self._bad_item(channel.id, LoadError("no request"))
        try:
            if request is None:
                request = load_request(data, self, channel._strconfig)
            size = len(request)
            if size == 1:
                if self._interrupt(n, n) is False:
                    # It has been answered, or has not come; but the driver waits for one answer.
                    self._post(CHANNEL_DATA, channel.id, dumps((n, INTERRUPT_TEXT, None)))
            elif size == 2 and not request[1]:
                self._give_back(channel, n)
            elif size == 2:
                execution = self._channelfactory.get(request[1])
                if self._beyond(-request[1]):
                    raise RuntimeError("Python 2 can interrupt nothing but the main thread")
                # The answer comes first: this thread itself may be the one that is interrupted.
                self._post(CHANNEL_DATA, channel.id, dumps((n, execution in self._running)))
                self._interrupt(-request[1], execution)
            elif size < 7:
                self._come(request)
                self._schedule_call(channel, (n, request), n)
            else:
                stream = Stream(request)
                self._post(CHANNEL_DATA, channel.id, dumps((n, None)))
                self._schedule_call(stream.channel, (stream, None, None), stream.channel)
        except Exception:
            self._post(CHANNEL_DATA, channel.id, self._failed(n))

    def _schedule_call(self, channel, task, key):
        self._running.add(key)
        if self.execmodel.green:
            self._start(self._do, channel, task)
        elif self._slot.acquire(False):
            self._to_main(channel, task)
        else:
            self._calls.append((channel, task))
            self._call_main()  # the main thread may just have become idle
            if self._calls and self.execmodel.backend == "thread":
                self._call_elsewhere()

    def _call_main(self):
        """Give the main thread what waits first, if it is idle."""
        while self._calls and self._slot.acquire(False):
            try:
                channel, task = self._calls.popleft()
                if len(task) == 4:
                    self._late.remove(channel)
                return self._to_main(channel, task)
            except (IndexError, KeyError):
                self._slot.release()  # another thread has taken it, or it has been refused

    def _call_elsewhere(self):
        """Have a thread take the next call that waits."""
        try:
            if self._resting:
                return self._resting.pop().set()
        except IndexError:
            pass
        if not self._starting:  # the one that starts asks for another one if there is more to do
            self._starting = True
            try:
                self._start(self._run_calls)
            except Exception:
                self._starting = False
                self._not_started(*self._calls.pop())

    def _run_calls(self):
        """Run calls, until none has come for some seconds."""
        self._starting = False
        me = Waiter()
        while True:
            try:
                channel, task = self._calls.popleft()
            except IndexError:
                self._resting.append(me)
                if not self._calls:
                    me.wait(now() + REST)
                try:
                    self._resting.remove(me)
                except ValueError:
                    continue  # somebody has woken it
                if not self._calls:
                    break
                continue
            if self._calls:
                self._call_elsewhere()
            self._do(channel, task)
            del channel, task

    def _come(self, request):
        """Note the calls that a request asks for."""
        n = request[0]
        if len(request) > 3 and request[3] is None:
            turns = self._turns[n] = deque(enumerate(request[2], n))
            self._running.update(range(n, n + len(turns)))
        else:
            self._running.add(n)

    def _give_back(self, channel, n):
        """Answer that those of the calls in turn are not made that have not begun. n is the first."""
        turns = self._turns.get(n)
        while turns:
            try:
                n = turns.pop()[0]
            except IndexError:
                break  # the last of them has just begun
            self._leave(n, n)
            self._post(CHANNEL_DATA, channel.id, dumps((n,)))

    def _call_in_turn(self, channel, request, slot):
        """Make calls of a function one after the other; each is answered before the next begins."""
        first, function = request[:2]
        turns = self._turns[first]
        last = False
        while not last:
            if self._finished:
                self._give_back(channel, first)
            try:
                n, args = turns.popleft()
            except IndexError:
                break  # the others have been given back
            call = n, function, args
            if type(args) is list:
                call = n, function, args[0], args[1]
            if request[-1] is True:
                call = (call if len(call) > 3 else call + ({},)) + (True,)
            last = not turns
            self._call(channel, (n, call), slot if last else None)
        del self._turns[first]
        if slot is not None and not last:
            slot.release()
            self._call_main()

    def _call(self, channel, call, slot=None):
        n, request = call
        if len(request) > 3 and request[3] is None:
            return self._call_in_turn(channel, request, slot)
        answer = None
        try:
            try:
                self._threads[n] = self._current()  # as _begin does
                if self._interrupted and n in self._interrupted:
                    raise KeyboardInterrupt
                if len(request) == 3 and type(request[1]) is not tuple:
                    value = find_function(request[1])(*request[2])
                else:
                    value = call_function(request)
                    if len(request) > 4 and request[4] is not True:
                        value = self._hold(request[4], value)
                answer = dump_answer(channel.id, n, value)
                if self._forked:
                    self._end_forked()
            except BaseException:
                if self._forked:
                    self._end_forked(sys.exc_info()[1])
                raise
            finally:
                if self._threads.pop(n, None) is None:
                    self._settle(n)  # it is being interrupted
        except BaseException:
            answer = self._failed(n)
            answer = [pack_head(CHANNEL_DATA, channel.id, len(answer)) + answer]
        if slot is not None:
            slot.release()
            if self._calls:
                self._call_main()
        self._ending.add(n)
        self._leave(n, n)
        try:
            if self._fast and len(answer) == 1 and len(answer[0]) <= ATOMIC:
                self._write_small(answer[0])
            else:
                self._write(answer)
        except IOError:
            self._trace("could not answer call", n)
        self._ending.discard(n)
        if self._finished:
            self._wake(self._waiters)

    def _failed(self, n):
        """The answer to call n that tells of the exception being handled."""
        text = INTERRUPT_TEXT
        about = None
        if not isinstance(sys.exc_info()[1], KeyboardInterrupt):
            text, about = geterrortext(), self._about()
        try:
            return dumps((n, text, about))
        except DumpError:
            return dumps((n, text, None))  # the class has a name that is no text

    def _iterate(self, channel, task, slot=None):
        stream = task[0]
        errortext, about, waits = None, None, False
        try:
            try:
                self._begin(-channel.id)
                waits = stream.send_items()
                self._end_forked()
            except BaseException:
                self._end_forked(sys.exc_info()[1])
                raise
            finally:
                try:
                    if not waits:
                        stream.close()
                finally:
                    self._settle(-channel.id)
        except KeyboardInterrupt:
            errortext = INTERRUPT_TEXT
        except BaseException:
            errortext, about = geterrortext(), self._about()
        if waits:
            slot.release()
            self._call_main()
            return stream.wait()
        self._end_execution(channel, slot, errortext, about)

    def _hold(self, channel, value):
        """Keep the object of a handle until its channel is closed."""
        channel._object = value,
        self._held[channel.id] = channel
        if channel._closed:
            self._held.pop(channel.id, None)
            channel._object = ()

    def _release(self, id):
        """Drop the object of a handle, where a call would run: its finalizer may do anything."""
        if not self._channelfactory.finished:
            channel = self._held.pop(id, None)
            if channel is not None:
                self._schedule_call(channel, (None,), channel)

    def _drop(self, channel, task, slot=None):
        channel._object = ()
        if slot is not None:
            slot.release()
            self._call_main()
        self._leave(channel)
