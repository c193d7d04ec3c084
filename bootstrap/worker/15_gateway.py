# The gateway, put together from the classes before.


class WorkerGateway(Writing, Reading, Dispatching, Ending, Executing, Calling, Interrupting, Locked):
    """Reads messages and does what they ask for.

    The thread that holds _role reads the pipe. A thread that waits in receive() takes the role
    and reads for itself, which saves two thread switches for each message. When nobody has read
    for GRACE seconds, the background thread reads, so that reading never waits for a thread that
    computes. Only the background thread reads if a callback is registered, with greenlets, and on
    Python 2 (_plain).

    A KeyboardInterrupt may come between any two calls. So results that must not get lost are
    stored by the C code that makes them: list.extend(map(func, args)). (Before Python 3.10 an
    interrupt can still come in the one step between taking an item and queueing it.)

    A signal handler may receive while its thread reads. See _take_over.
    """

    def __init__(self, rfd, wfd, id, execmodel):
        self.id, self.execmodel, self._pid = id, execmodel, getpid()
        self._forked = False  # whether this is a child that remote code has forked
        self._rfd, self._wfd = rfd, wfd
        self._spare = set()  # descriptors that _rfd was before: see _take_over
        self._sysread, self._syswrite = os.read, os.write
        self._syswritev = getattr(os, "writev", None)
        # _newlock makes locks that are held only as long as it takes to do something, also with
        # greenlets: whoever waits for one keeps its thread from running others.
        self._newlock = stdlib("threading").RLock if PY2 else _thread.RLock
        newgreenlock = execmodel.RLock if execmodel.green else self._newlock
        self._newwaiter = (lambda: GreenWaiter(execmodel)) if execmodel.green else Waiter
        self._plain = PY2 or execmodel.green
        self._fast = self._eager = not (self._plain or trace)
        self._large = self._eager and hasattr(os, "readv")
        self._strconfig = (True, False)
        self._error = None
        self._errors = False  # whether the driver knows errors with more than their text
        self._output = None  # an Output, if the driver wants to see what is printed
        self._quarter = ANY  # of WINDOW, if the driver knows windows
        self._windows = set()  # the ids of the channels of whose windows it has been told
        self._lifting = []  # the Lifted of threads
        self._watching = False  # whether _watch runs
        self._leads = False  # whether a thread reads because it waits for something of its own
        self._callbacks = {}
        self._receivelock = newgreenlock()  # held while messages are dispatched
        self._channelfactory = ChannelFactory(self)
        # writing
        self._writelock = GreenLock(execmodel) if execmodel.green else self._newlock()
        self._unsent = deque()  # [parts, written counts] of messages; the first is being written
        self._writing = False
        # reading
        self._role = newgreenlock()
        # The bytes read, how many of them are dispatched, the chunks read after them, and the
        # Large item that is being read.
        self._in = b"", 0, [], None
        self._need, self._starved, self._woke = 9, True, False
        self._gen = 0
        self._shortage = 0  # when memory was short first, lately
        self._reserve = take_reserve()  # so that the driver can be told of a shortage
        self._followers = []
        self._armed = False
        self._background = None
        self._finished = self._done = False
        # executing
        self._running = set()
        self._ending = set()  # channels of executions that have ended and are being closed
        self._tasks = deque()  # what the main thread does next
        # calls
        self._served = {}  # the channels for calls, by id
        self._newest = None  # the id of the latest of them
        self._held = {}  # the channels that have objects, by id
        self._calls = deque()  # calls that wait for a thread, and executions for the main thread
        self._turns = {}  # calls in turn that have not begun, by the number of the first
        self._late = set()  # the channels of such executions
        self._resting, self._starting = [], False  # Waiters of threads that wait for a call
        # The thread of each call and each execution that runs, by its key: the number of the call,
        # or minus the id of the channel.
        self._threads = {}
        self._interrupted = set()  # the keys of those that shall end
        self._interrupting = set()  # the threads that interrupt something
        self._unborn, self._postponed = set(), []  # see _start
        self._current = _thread.get_ident
        if execmodel.green:
            import greenlet
            self._current = greenlet.getcurrent
        # ending
        self._alone = False  # whether this process is there for this gateway alone
        self._behind = False  # whether the far end is a Go worker, which only dies without a word
        self._orphaned = False  # whether it has died
        self._watchdog = self._leaving = None
        self._slot = allocate()  # held while the main thread executes something
        self._waiters = []  # threads that wait for a task or for the end

    def __repr__(self):
        return "<WorkerGateway id=%r>" % (self.id,)

    def _trace(self, *msg):
        if trace:
            trace(self.id, *msg)

    _from_stdlib = staticmethod(stdlib)

    def newchannel(self):
        return self._channelfactory.new()

    def _adapt(self, setup):
        """Note what the driver understands beyond execnet's protocol. No channel is there yet."""
        self._errors = setup.get("errors")
        self._quarter = WINDOW >> 2 if self._errors else ANY

    def join(self, timeout=None):
        """Wait until the connection and its executions have ended."""
        self._wait(lambda: self._done, self._waiters, None if timeout is None else now() + timeout)

    def _about(self):
        """What describe() tells of the exception being handled. None if that is not asked for."""
        try:
            return describe(*sys.exc_info()[:2]) if self._errors else None
        except BaseException:
            return None  # its class computes what it is asked for
