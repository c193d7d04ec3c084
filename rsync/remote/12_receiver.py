# The receiver, put together from the classes before.


class Receiver(Folders, Tree, Signing, Contents, Ending):
    """Does what the items say that the driver of one sync sends."""

    def __init__(self, channel):
        self.send, self.receive = channel.send, channel.receive
        self.folders = []  # all of them
        self.unfinished = {}  # folders whose last block has not come
        self.open_dirs = []  # (folder, directory) from the destination down to the one used last
        self.checked = True  # PathDir: open_dirs were checked since the last item came
        self.above = None  # the directory of a destination that is a file
        self.count = 0  # entries announced
        self.wanted = {}  # entry: (folder, name, mode, mtime, size there)
        self.failed = set()  # entries given up here, of which the driver still sends contents
        self.signed = set()  # entries whose signatures were asked for
        self.again = set()  # entries asked for once more
        self.links = []
        self.part = None
        self.processed = self.acked = 0
        self.last_beat = time.time()
        self.deleted, self.deleted_size = [], 0
        self.written = self.touched = self.made = self.linked = 0
        self.removed = self.failures = self.received = self.copied = 0
        self.mark = new_mark()

    def run(self):
        try:
            try:
                self.hello(self.item())
                self.items()
                self.finish()
            except Fatal as e:
                self.error(FATAL, NO_ENTRY, e.path, str(e))
        finally:
            self.discard()
            self.shrink(0)

    def item(self):
        item = self.receive()
        self.checked = False
        if type(item) is not bytes or not 0 < len(item) <= MAX_ITEM:
            raise protocol_error("an item that is no byte string of at most 2 MiB")
        return item

    def items(self):
        finishing = False
        while not finishing or self.again:
            item = self.item()
            kind = item[:1]
            try:
                if kind == b"C":
                    self.contents(item)
                elif kind == b"T" and not finishing:
                    self.tree(item)
                elif kind == b"S" and not finishing:
                    self.sign(item)
                elif kind == b"F" and not finishing:
                    if len(item) != 1:
                        raise protocol_error("an F of a wrong length")
                    if not self.count or self.unfinished:
                        raise protocol_error("the end before the whole tree has come")
                    if not self.dry and (self.failed or self.part
                                         or len(self.wanted) > len(self.again)):
                        raise protocol_error("the end before all contents have come")
                    finishing = True
                else:
                    raise protocol_error("an item of kind %r at this point" % (kind,))
            except struct.error:
                raise protocol_error("an item that ends too early")

    def error(self, severity, entry, path, text):
        if not isinstance(text, bytes):
            text = text.encode("utf-8", "replace")
        self.send(b"e" + struct.pack(">BI", severity, entry) + path + b"\0" + text)

    def report(self, entry, path, error, severity=ENTRY):
        """Tell the driver that an entry failed; a full disk ends the sync."""
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            raise Fatal(explain(error), path)
        if severity == ENTRY:
            self.failures += 1
        self.error(severity, entry, path, explain(error))


def serve(channel):
    global from_stdlib
    from_stdlib = getattr(channel.gateway, "_from_stdlib", from_stdlib)
    Receiver(channel).run()
