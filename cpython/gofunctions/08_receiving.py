class ReceivingForGo(object):
    """How the thread that waits for a function receives for it."""

    def _receive_for(self, call, code, channel):
        """Receive for the function until something has come, or it wants nothing any more."""
        what, data = ENDED, []
        while not call.frames:
            try:
                if code == WAITCLOSE:
                    channel.waitclose(LOOK)
                else:
                    item = channel.receive(LOOK)
                    what = ITEM
                    save(item, data.append)
                    data.append(b"Q")
                    if names_channels(data):
                        call.kept += item,
            except channel.TimeoutError:
                self._look()
                continue
            except EOFError:
                pass
            except Exception:
                kind, error = sys.exc_info()[:2]
                name = u"callback" if channel._items is None else text(kind.__name__)
                what, data = ERROR, [dumps((name, sendable(str_of(error))))]
            return self.send(what, call, data)

    def _look(self):
        """Read what has come, without waiting."""
        held = []
        try:
            held.extend(map(self._role.acquire, NOWAIT))
            if held[0]:
                self._lead(self._readable)
        finally:
            if held and held[0]:
                self._role.release()
                self._promote()

    def _readable(self):
        if sys.platform == "win32":
            import _winapi
            import msvcrt
            return _winapi.PeekNamedPipe(msvcrt.get_osfhandle(self._rfd), 0)[0] > 0
        return self._poll(self._rfd, 0)


def give_back(channel, item):
    """Put back what was received for a function that did not want it any more."""
    if channel._items is not None:
        channel._items.appendleft(item)
        channel.gateway._wake(channel._waiters)
