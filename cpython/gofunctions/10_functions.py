class GoFunctions(Modules, Calling, ReceivingForGo, ReadingFrames, Writing, Locked):
    """Loads the modules and makes the calls. Frames are written as messages are."""

    def __init__(self, finder):
        self.finder, self.gateway = finder, finder.gateway
        gateway, model = self.gateway, self.gateway.execmodel
        self._newwaiter, self._poll = gateway._newwaiter, gateway._poll
        self._sysread, self._syswrite = gateway._sysread, gateway._syswrite
        if PY2 and not model.green:
            self._sysread = os.read  # an interrupt within a function of Python would lose bytes
        self._syswritev = gateway._syswritev
        self._fast, self._large = gateway._fast, gateway._large
        self.described = loads(finder.described)  # name -> {function: what GoFunction takes}
        if finder.pipes:
            self._rfd, self._wfd = finder.pipes
            self._from = (self._rfd,)
        # The reentrant lock of Python 2 is written in Python, and an interrupt within it breaks it.
        newlock = allocate if PY2 else gateway._newlock
        self._writelock, self._role = [GreenLock(model) if model.green else newlock() for _ in "ab"]
        self._take_role, self._take_writelock = self._role.acquire, self._writelock.acquire
        # Whether a signal handler may call while its thread does.
        self._nests = model.green or sys.version_info >= (3, 11)
        self._unsent = deque()
        self._writing = False
        # The bytes read, how many of them are handed on, the chunks read, how many of these are
        # part of the bytes already, the Large result that is being read, and how many frames there
        # were.
        self._in = b"", 0, [], 0, None, 0
        self._need = 9
        self._calls = {}  # those under way, by number
        self._followers = []  # those whose threads wait for another one that reads
        self._numbers = count()
        self._expected = SMALL  # how much the next fast call reads
        self._leading = False  # whether a thread reads, or will do so without looking again
        self._why = None  # why no call can be made any more
