# An iteration, whose items go out as the driver takes them (protocol.md section 6.8).


class Stream(object):
    """An iteration over what a function returns (protocol.md section 6.8)."""

    def __init__(self, request):
        channel, most, most_bytes = request[4:7]
        if type(channel) is not Channel:
            raise TypeError("%r is no channel for an iteration" % (channel,))
        self.call, self.channel, self.iterator = request, channel, None
        channel._next = ANY
        self.most, self.most_bytes = int(most), int(most_bytes)
        self.any = None in request[7:8]  # a result that is no iterator is the one item
        self.sizes, self.total = deque(), 0  # of the items that the driver has not taken

    def send_items(self):
        """Return True if the main thread shall do something else until the driver says something."""
        channel, sizes = self.channel, self.sizes
        gateway = channel.gateway
        while True:
            full = len(sizes) >= self.most or self.total >= self.most_bytes
            if full and not channel._items and gateway.execmodel.backend == "main_thread_only":
                return True
            if full or channel._items:
                try:
                    n = channel.receive()
                except (EOFError, RemoteError):
                    return False  # the driver has closed the channel
                if not 0 < n <= len(sizes):
                    return False  # the driver wants no more
                for _ in range(n):
                    self.total -= sizes.popleft()
                continue
            if self.iterator is None:
                result = call_function(self.call)
                if self.any and not is_iterator(result):
                    result = [result]
                self.iterator = iter(result)
                self.call = None
            item = next(self.iterator, ENDMARKER)
            if item is ENDMARKER:
                return False
            t, n = type(item), 6
            if t is int and -2147483648 <= item <= 2147483647:
                channel.send(item)
            elif t is bytes and not PY2:
                channel.send(item)
                n += len(item)
            else:
                data = b"".join(dump_plain(item))
                n = len(data)
                if gateway._fast and n <= ATOMIC - 9:
                    gateway._write_small(pack_head(CHANNEL_DATA, channel.id, n) + data)
                else:
                    gateway._send(CHANNEL_DATA, channel.id, data)
            sizes.append(n)
            self.total += n

    def wait(self):
        """Have the main thread go on when the driver says something."""
        self.channel._waiters.append(self)
        if self.channel._items:
            self.set()

    def set(self):
        """What the thread that reads calls then, as if this were the Waiter of another thread."""
        try:
            self.channel._waiters.remove(self)
        except ValueError:
            return  # it has been called
        gateway = self.channel.gateway
        gateway._calls.append((self.channel, (self, None, None)))
        gateway._call_main()

    def close(self):
        iterator, self.iterator, self.call = self.iterator, None, None
        if hasattr(iterator, "throw"):
            iterator.close()  # other iterators than generators may be somebody else's, too
