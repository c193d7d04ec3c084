# What the driver orders, and what it is told.


class Queue(object):
    """The indexes that wait to be run."""

    def __init__(self, execmodel):
        self.lock, self.changed = execmodel.Lock(), execmodel.Event()
        self.waiting, self.complete, self.stopped = deque(), False, False
        self.following = None  # what pytest has been told follows the test that is running

    def add(self, indexes):
        with self.lock:
            self.waiting.extend(indexes)
            self.complete = False
            self.changed.set()

    def last(self):
        with self.lock:
            self.complete = True
            self.changed.set()

    def stop(self):
        with self.lock:
            self.waiting.clear()
            self.stopped = True
            self.changed.set()

    def remove(self, indexes):
        with self.lock:
            # The driver may not know yet which test is running. What pytest has been told follows
            # has to follow, as what the two share is not torn down between them.
            wanted = set(indexes) - set([self.following])
            removed = [i for i in self.waiting if i in wanted]
            self.waiting = deque(i for i in self.waiting if i not in wanted)
        return removed

    def next(self):
        """The next two indexes. None in place of the second one: none follows. None: not yet."""
        with self.lock:
            if len(self.waiting) > 1 or self.waiting and self.complete:
                first = self.waiting.popleft()
                self.following = self.waiting[0] if self.waiting else None
                return first, self.following
            if not self.stopped:
                self.changed.clear()


class Messages(object):
    """What the plugin says to the driver and hears from it."""

    def say(self, *message):
        self.out.append(message)

    def flush(self):
        if self.out and self.channel is not None and getpid() == self.pid:
            out, self.out = self.out, []
            self.channel.send(out)

    def tell(self, *message):
        self.say(*message)
        self.flush()

    def command(self, item):
        """Take a message, in the thread that reads."""
        if item is None:
            return self.queue.stop()
        name = item[0]
        if name == "run":
            self.queue.add(item[1])
        elif name == "last":
            self.queue.last()
        elif name == "return":
            self.reply("returned", self.queue.remove(item[1]))
        elif name == "stop":
            self.queue.stop()
        elif name == "stacks":
            sleep(0.05)  # Ctrl-C at a terminal reaches this process, too, and then tells the place
            if not self.hit:
                self.reply("stacks", stacks(self.channel))
        elif name == "tell":
            self.reply("tests", self.parts)

    def reply(self, *message):
        try:
            self.channel.send([message])
        except (IOError, OSError):
            pass  # the session has just ended
