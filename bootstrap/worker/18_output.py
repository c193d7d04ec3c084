# What is printed and logged here, sent to the driver (protocol.md section 6.9).


class Output(object):
    """Sends what this process and its children print to the driver (protocol.md section 6.9).

    Descriptors 1 and 2, or one of them, become pipes. A thread for each sends what comes out of its
    pipe. What Python itself prints is sent at once by the thread that prints it, so that it is on
    its way when the next statement ends the process. The driver confirms what it has taken, and no
    more than WINDOW bytes that it has not confirmed are on their way. If it confirms nothing for
    PATIENCE seconds, the rest is left out until it does, so that nothing here waits for ever.
    """
    WINDOW = 1 << 18
    PATIENCE = 5.0
    LAST = 1.0  # seconds for what is left at the end

    def __init__(self, gateway, wanted, before):
        """wanted is the sum of the descriptors, and 4 for log records; before maps descriptors to
        those to use after the end.
        """
        self.gateway, self.before = gateway, before
        self.lock = gateway._newlock()
        self.unconfirmed, self.last, self.refused = 0, now(), False
        self.left_out = {1: 0, 2: 0, 4: 0}  # bytes of the streams, and log records
        self.pipes = {}  # by descriptor: the reading end, and a lock that is held while it is read
        self.ended = set()  # the descriptors whose pipes have been read to the end
        # How often something was read. The watchdog sees it in beat.
        self.reads, self.beat = 0, stdlib("mmap").mmap(-1, 8)
        self.stdout = sys.stdout
        for fd in 1, 2:
            if wanted & fd:
                reading, writing = os.pipe()
                not_inherited(reading)
                os.dup2(writing, fd)
                os.close(writing)
                self.pipes[fd] = reading, allocate()
        if wanted & 1 and not PY2:  # in Python 2 the option -u does that
            sys.stdout = sys.__stdout__ = self.make_stdout()
        if wanted & 4:
            self.capture_logging()

    def start(self):
        for fd in self.pipes:
            start_thread(self.follow, (fd,))
        leave = os._exit

        def _exit(status):
            if getpid() == self.gateway._pid:
                self.end()
            leave(status)
        if self.gateway._alone:
            os._exit = _exit

    def make_stdout(self):
        """A file that writes each line to descriptor 1 when it is complete."""
        io = stdlib("io")

        class Raw(io.FileIO):
            def write(raw, data):
                n = io.FileIO.write(raw, data)
                if not self.gateway.execmodel.green:  # another greenlet reads what is confirmed
                    self.pass_on(1)
                return n
        raw = Raw(1, "w", closefd=False)
        raw.name = "<stdout>"
        return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)

    def follow(self, fd):
        (reading, lock), data = self.pipes[fd], b"-"
        while data:
            try:
                ready = poll_fd(reading, 0.1 if self.left_out[fd] else 60.0)
                with lock:  # no interrupt comes in this thread
                    # Another thread may have read it meanwhile.
                    if ready is None or ready and poll_fd(reading, 0):
                        data = self.read(reading)
                        self.send(fd, data)
                    elif self.left_out[fd]:
                        self.send(fd, b"")
            except Exception:  # a signal in Python 2, or the watchdog has read it
                if self.gateway._done or sleep is None:  # Python 2 clears names at its end
                    break
                sleep(0.01)
        self.ended.add(fd)

    def read(self, reading):
        self.reads += 1
        self.beat[:] = struct.pack("q", self.reads)
        return os.read(reading, CHUNK)

    def pass_on(self, fd):
        """Send what is in the pipe, if nobody has to be waited for."""
        (reading, lock), held = self.pipes[fd], []
        if self.gateway._forked:
            return
        try:
            held.extend(map(lock.acquire, NOWAIT))
            while held[0] and self.unconfirmed + CHUNK <= self.WINDOW and poll_fd(reading, 0):
                data = self.read(reading)
                if not data:
                    break
                self.send(fd, data)
        except EnvironmentError:
            pass  # the watchdog has read it
        finally:
            if held and held[0]:
                lock.release()

    def send(self, kind, data):
        if not self.has_room(len(data)):
            self.left_out[kind] += len(data)
            return
        if self.left_out[kind]:
            left_out, self.left_out[kind] = self.left_out[kind], 0
            self.send_item((kind, left_out))
        if data:
            self.send_item((kind, data))

    def capture_logging(self):
        """Send what the module logging logs, as soon as somebody has imported that.

        It is sent at the place where records go to the handlers of the root logger. With a handler
        there logging.basicConfig() would do nothing. Handlers that write to stderr get nothing.
        """
        def capture(logging):
            usual = logging.Logger.callHandlers
            known = set(vars(logging.makeLogRecord({}))).union(("message", "asctime"))
            to_stderr = logging.StreamHandler, getattr(logging, "_StderrHandler", None)

            def call_handlers(logger, record):
                if self.gateway._finished or getpid() != self.gateway._pid:
                    return usual(logger, record)
                while logger is not None:
                    for handler in logger.handlers:
                        if record.levelno >= handler.level and not (
                                type(handler) in to_stderr and handler.stream in (sys.stderr, sys.__stderr__)):
                            handler.handle(record)
                    if logger.parent is None:
                        try:
                            self.send_record(logging, record, known)
                        except Exception:
                            complain("execnet worker: cannot send a log record:", geterrortext())
                    logger = logger.parent if logger.propagate else None
            logging.Logger.callHandlers = call_handlers

        class Finder(object):
            @staticmethod
            def find_spec(name, path=None, target=None):
                if name != "logging" or path is not None:
                    return None
                specs = [f.find_spec(name, path, target) for f in sys.meta_path
                         if f is not Finder and hasattr(f, "find_spec")]
                for spec in specs:
                    if spec is not None and hasattr(spec.loader, "exec_module"):
                        def exec_module(module, load=spec.loader.exec_module):
                            load(module)
                            if in_stdlib(spec.origin):
                                capture(module)
                        spec.loader.exec_module = exec_module
                        return spec

            @staticmethod
            def find_module(name, path=None):
                return Finder if name == "logging" and Finder in sys.meta_path else None

            @staticmethod
            def load_module(name):
                sys.meta_path.remove(Finder)
                module = __import__(name)
                if in_stdlib(module.__file__):
                    capture(module)
                return module
        if "logging" in sys.modules:
            capture(sys.modules["logging"])
        else:
            sys.meta_path.insert(0, Finder)

    def send_record(self, logging, record, known):
        try:
            message = record.getMessage()
        except Exception:
            message = "%s, and its arguments do not fit: %r" % (record.msg, record.args)
        error = record.exc_text or record.exc_info and logging.Formatter().formatException(record.exc_info)
        stack = getattr(record, "stack_info", None)
        extra = {}
        for name in sorted(set(vars(record)) - known)[:100]:
            x = getattr(record, name)
            if x is None or type(x) in (bool, int, long, float, str, text) and not fault_of(x):
                extra[sendable(name, 1000)] = sendable(x, 1000) if type(x) in (str, text) else x
        payload = dumps((4, (
            int(record.levelno), sendable(str(record.name), 1000), sendable(message, CHUNK // 2), float(record.created),
            sendable(str(record.pathname), 4000), int(record.lineno), sendable(str(record.funcName), 1000),
            sendable("\n".join(filter(None, (error, stack))), CHUNK // 2), extra)))
        if not self.has_room(len(payload)):
            self.left_out[4] += 1
            return
        if self.left_out[4]:
            left_out, self.left_out[4] = self.left_out[4], 0
            self.send_item((4, left_out))
        self.send_payload(payload)

    def send_item(self, item):
        self.send_payload(dumps(item))

    def send_payload(self, payload):
        self.count(len(payload))
        try:
            if self.gateway.execmodel.green:
                self.gateway._post(CHANNEL_DATA, 0, payload)
            else:
                self.gateway._send(CHANNEL_DATA, 0, payload)
        except (IOError, ValueError):
            pass  # the driver has gone

    def count(self, size):
        """So much more, or less, is unconfirmed."""
        held = []
        try:
            held.extend(map(self.lock.acquire, WAITING))
            self.unconfirmed += size
        finally:
            if held:
                self.lock.release()

    def has_room(self, size):
        since = now()
        while not self.gateway._finished and (
                self.refused or 0 < self.unconfirmed > self.WINDOW - size):
            # A greenlet that waited here would keep the one that reads confirmations from doing it.
            greenlet = self.gateway.execmodel.green and _thread.get_ident() == MAIN
            if self.refused or greenlet or now() - max(since, self.last) > self.PATIENCE:
                self.refused = self.refused or not greenlet
                return False
            sleep(0.002)
        return True

    def confirmed(self, size):
        self.count(-size)
        self.last, self.refused = now(), False

    def end(self):
        """Send what is left, as far as that takes no more than a second."""
        try:
            sys.stdout.flush()
        except Exception:
            pass  # remote code has put something else in its place
        for fd in self.pipes:
            try:
                os.dup2(self.before[fd], fd)
            except OSError:  # remote code has closed it
                os.dup2(os.open(os.devnull, os.O_WRONLY), fd)
        if sys.stdout is sys.__stdout__:
            sys.stdout = self.stdout
        sys.__stdout__ = self.stdout
        deadline = now() + self.LAST
        for fd, (reading, lock) in self.pipes.items():
            while fd not in self.ended and poll_fd(reading, 0) is not False and now() < deadline:
                sleep(0.001)
            if acquire(lock, deadline):
                lock.release()
        self.gateway._flush_in_time(deadline)
