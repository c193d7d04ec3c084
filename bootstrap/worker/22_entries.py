# Where a caller begins: serve_popen and serve_socket.


def use_green_io(gateway):
    """Let the hub of greenlets wait for a descriptor, then read or write without blocking."""
    if gateway.execmodel.backend == "gevent":
        from gevent.socket import wait_read, wait_write
    else:
        from eventlet.hubs import trampoline

        def wait_read(fd):
            trampoline(fd, read=True)

        def wait_write(fd):
            trampoline(fd, write=True)

    def read(fd, n):
        wait_read(fd)
        return os.read(fd, n)

    def write(fd, data):
        wait_write(fd)
        return os.write(fd, memoryview(data)[:ATOMIC])
    gateway._sysread, gateway._syswrite, gateway._syswritev = read, write, None

    # A finalizer may run in a thread of the system that has no hub of greenlets, or none that runs.
    # So it wakes a greenlet of this thread, through a pipe.
    fcntl, io = stdlib("fcntl"), stdlib("io")
    woken, wake = os.pipe()
    for fd in woken, wake:
        not_inherited(fd)
    fcntl.fcntl(wake, fcntl.F_SETFL, os.O_NONBLOCK)
    wake = io.FileIO(wake, "wb")

    def flush():
        while read(woken, CHUNK):
            gateway._flush_posted()
        os.close(woken)
    gateway._flush_later = lambda: wake.write(b"x")  # None if the pipe is full
    gateway._stop_flushing = wake.close
    gateway.execmodel.start(flush)


def duplicate(fd):
    """A copy of a descriptor. Processes that user code starts do not inherit it."""
    fd = os.dup(fd)
    if sys.platform == "win32":
        import msvcrt
        msvcrt.setmode(fd, os.O_BINARY)
    elif PY2:
        not_inherited(fd)
    return fd


def not_inherited(fd):
    if not PY2:
        return os.set_inheritable(fd, False)
    import fcntl
    fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.fcntl(fd, fcntl.F_GETFD) | fcntl.FD_CLOEXEC)


def serve_popen(id, execmodel="thread", setup={}):
    """Serve on stdin and stdout. Descriptors 0 and 1 then become the null device.

    setup may hold chdir, nice, env, ahead: messages that are handled as if read first, errors (see
    describe), output (see Output; 1 for descriptor 1), and answer: what the driver expects behind the
    "1" that says that this worker serves.
    engine, which is for Go workers, is refused.
    Behind a Go worker it holds first, the id of the first channel made here, and prepare: source to
    be executed before that.
    """
    sys.stdout.flush()
    wfd, rfd = duplicate(1), duplicate(0)  # in this order: see takeStreams of the Go worker
    for fd, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY)):
        null = os.open(os.devnull, mode)
        os.dup2(null, fd)
        os.close(null)
    try:
        model = ExecModel(execmodel)
        refuse_engine(setup)
        for name, value in (setup.get("env") or {}).items():
            if PY2 and type(value) is text:
                value = value.encode("utf-8")
            os.environ[name] = value
        if setup.get("nice") and hasattr(os, "nice"):
            os.nice(int(setup["nice"]))
        path = setup.get("chdir")
        if path:
            try:
                os.path.exists(path) or os.makedirs(path)
            except OSError:
                if not os.path.isdir(path):  # or else another worker has made it meanwhile
                    raise
            os.chdir(path)
        gateway = WorkerGateway(rfd, wfd, id, model)
        gateway._adapt(setup)
        if setup.get("output"):
            stderr = duplicate(2) if setup["output"] & 2 else 2
            gateway._output = Output(gateway, setup["output"], {1: stderr, 2: stderr})
        gateway._alone = True
        if setup.get("first"):
            gateway._channelfactory.count, gateway._behind = setup["first"], True
        if setup.get("prepare"):
            exec(setup["prepare"], dict(globals(), gateway=gateway))
        if setup.get("ahead"):
            gateway._in, gateway._starved = (setup["ahead"], 0, [], None), False
        if model.green:
            use_green_io(gateway)
    except Exception:
        shown = "execnet worker %s: cannot set up: %s\n" % (id, sys.exc_info()[1])
        tell(shown + (geterrortext().encode("utf-8") if PY2 else geterrortext()))
        sys.exit(1)
    serve(gateway, setup)


def refuse_engine(setup):
    if "engine" in setup:
        raise ValueError("engine=%s is for Go workers, and this is Python %s" % (setup["engine"], sys.version.split()[0]))


def serve_socket(sock, id, execmodel="thread", setup={}):
    """Serve on a connected socket. setup may hold answer, engine, errors and output (see serve_popen)."""
    try:
        refuse_engine(setup)
    except ValueError:
        # The driver does not see this server's stderr.
        sock.sendall(str(sys.exc_info()[1]).encode("utf-8"))
        sock.close()
        raise
    model = execmodel if isinstance(execmodel, ExecModel) else ExecModel(execmodel)
    sock.setblocking(True)
    try:
        sock.setsockopt(6, 1, 1)  # TCP_NODELAY
    except (IOError, OSError):
        pass
    # It reads from a copy, which _take_over may replace while another thread writes.
    copy = sock.fileno() if PY2 or sys.platform == "win32" else duplicate(sock.fileno())
    gateway = WorkerGateway(copy, sock.fileno(), id, model)
    gateway._adapt(setup)
    # If this process serves another gateway whose driver wants to see what it prints, that one has
    # it.
    if setup.get("output") and not any(other() is not None and other()._output for other in gateways):
        gateway._output = Output(gateway, setup["output"], {1: duplicate(1), 2: duplicate(2)})
    gateway._fast = False
    gateway._close_wfd = sock.close
    if sys.platform == "win32":
        gateway._sysread = lambda fd, n: sock.recv(n)
        gateway._syswrite = lambda fd, data: sock.send(data)
    elif model.green:
        use_green_io(gateway)
    serve(gateway, setup)


# As tracebacks of execnet name them, and as remote code sees them.
for _class in (DataFormatError, DumpError, LoadError, RemoteError, TimeoutError, ExecModel, Channel,
               ChannelFile, ChannelFileRead, ChannelFileWrite, ChannelFactory, WorkerGateway):
    _class.__module__ = "execnet.gateway_base"


gateways = []  # weak references to all that this process serves


def after_fork_in_child():
    for gateway in gateways:
        gateway = gateway()
        if gateway is not None:
            gateway._after_fork()


def notice_forks():
    """Have after_fork_in_child called in every child that this process forks."""
    if hasattr(os, "register_at_fork"):
        return os.register_at_fork(after_in_child=after_fork_in_child)

    def noticed(fork):
        def call():
            result = fork()
            if not (result[0] if isinstance(result, tuple) else result):
                after_fork_in_child()
            return result
        call.__name__, call.__doc__ = fork.__name__, fork.__doc__
        return call
    for name in "fork", "forkpty":
        if hasattr(os, name):
            setattr(os, name, noticed(getattr(os, name)))


def serve(gateway, setup):
    gateway._trace("creating workergateway: Python %s, process %d" % (
        sys.version.split()[0], os.getpid()))
    if PY2:
        gateway._sysread = retrying(gateway._sysread)
    main = sys.modules["__main__"]
    for cls in (Message, Popen2IO):
        if not hasattr(main, cls.__name__):
            setattr(main, cls.__name__, cls)
    try:
        gateway._write([b"1" + setup.get("answer", "").encode("ascii")])
    except (IOError, OSError):
        return  # the driver has given up
    if gateway._alone:
        output = gateway._output if gateway._output and gateway._output.pipes else None
        others = (0, 1, gateway._wfd) + (() if output else (2,))
        gateway._watchdog = Watchdog(gateway._rfd, others, KILL_BEHIND if gateway._behind else KILL, output)
    if gateway._output:
        gateway._output.start()
    if not gateways:
        notice_forks()  # the watchdog is no child of remote code
    gateways[:] = [ref(gateway)] + [other for other in gateways if other() is not None]
    if not gateway._alone:
        return gateway.serve()
    try:
        gateway.serve()
    finally:
        gateway._bound_shutdown()
