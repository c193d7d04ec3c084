def _server():
    """Import modules, then fork a process whenever that is asked for.

    The far end of descriptor 0, a socket, says what to do, in pieces of five bytes: "F" and four
    more bytes with three descriptors: fork. "K" and a process id: kill that child. What happens is
    told in lines. In a child this returns the program that the child is to run. When the socket
    ends, so does this process; the children go on.
    """
    import sys

    program, worker_folder, worker, folder = sys.argv[1:5]
    names = sys.argv[5:]
    sys.argv[1:] = []
    if sys.version_info < (3, 3):
        import os
        os.write(0, b"refused Python before 3.3 cannot receive descriptors\n")
        sys.exit()
    import _signal as signal, errno, gc, os, select, socket, struct

    control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, os.dup(0))
    null = os.open(os.devnull, os.O_RDWR)
    for fd in 0, 1:
        os.dup2(null, fd)
    os.close(null)

    def tell(line):
        try:
            control.sendall(line.replace("\n", " ").encode("utf-8", "backslashreplace") + b"\n")
        except OSError:
            os._exit(0)  # nobody wants to know

    # Ctrl-C at a terminal reaches this process, too. Whoever has started it decides about its end.
    # It is held back, so that modules see, and can change, what SIGINT does in the children.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        before = os.getcwd()
        if folder and os.path.isdir(folder):
            os.chdir(folder)
        missing = []
        for name in names:
            try:
                __import__(name)
            except ImportError as e:
                # The children may find it: they have a driver that can send modules.
                if not (e.name and (name + ".").startswith(e.name + ".")):
                    raise
                missing.append(name)
        os.chdir(before)
    except BaseException as e:
        import traceback
        traceback.print_exc()
        tell("failed %s: %s: %s" % (name, type(e).__name__, e))
        sys.exit()
    if "threading" in sys.modules and len(sys.modules["threading"].enumerate()) > 1:
        tell("refused these modules have started threads, which a forked process would not have")
        sys.exit()
    if worker:
        sys.path.insert(0, worker_folder)
        try:
            __import__(worker)
            # What each child would import whose output is sent. To import something after a fork
            # copies much memory: all names in sys.modules are looked at.
            sys.modules[worker].stdlib("mmap")
        except Exception:
            pass  # each child finds out for itself what is wrong
        sys.path.remove(worker_folder)
    interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    gc.collect(1)  # a whole collection takes tens of milliseconds, and finds little more
    if hasattr(gc, "freeze"):
        gc.freeze()  # or collections in the children would copy all that they share
    if sys.version_info >= (3, 12):
        # A warning of each fork, because of threads in C libraries such as numpy's. Those libraries
        # are made for being forked.
        import warnings
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
    woken, wake = os.pipe()
    for fd in woken, wake:
        os.set_blocking(fd, False) if hasattr(os, "set_blocking") else None
    ended = signal.signal(signal.SIGCHLD, lambda *args: None)
    signal.set_wakeup_fd(wake)
    children = set()
    tell("ready " + ",".join(missing))

    def receive():
        """One piece, and the descriptors that came with it."""
        piece, fds = b"", []
        while len(piece) < 5:
            data, notes, _, _ = control.recvmsg(5 - len(piece), socket.CMSG_SPACE(12))
            for level, kind, note in notes:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    fds += struct.unpack("%di" % (len(note) // 4), note[:len(note) // 4 * 4])
            if not data:
                return None, fds
            piece += data
        return piece, fds

    while True:
        readable = select.select([control, woken], [], [])[0]
        if woken in readable:
            try:
                os.read(woken, 4096)
            except BlockingIOError:
                pass
            for pid in list(children):
                pid, status = os.waitpid(pid, os.WNOHANG)
                if pid:
                    children.discard(pid)
                    tell("exit %d %d" % (pid, status))
        if control not in readable:
            continue
        piece, fds = receive()
        if piece is None:
            os._exit(0)
        if piece[:1] == b"K":
            pid = struct.unpack("!i", piece[1:])[0]
            if pid in children:
                os.kill(pid, signal.SIGKILL)
            continue
        pid = None
        if len(fds) != 3:
            # The system leaves out descriptors for which this process has no numbers left.
            tell("cannot [Errno %d] %s" % (errno.EMFILE, os.strerror(errno.EMFILE)))
        else:
            try:
                pid = os.fork()
            except OSError as e:
                tell("cannot %s" % e)
        if pid:
            children.add(pid)
            tell("forked %d" % pid)
        if pid != 0:
            for fd in fds:
                os.close(fd)
            continue
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, ended)
        signal.signal(signal.SIGINT, interrupt)
        control.close()
        os.close(woken)
        os.close(wake)
        for i, fd in enumerate(fds):
            os.dup2(fd, i)
            os.close(fd)
        # Or all children would draw the same numbers. (From 3.7 on, random does so itself.)
        for name in "random", "numpy.random":
            if name in sys.modules:
                sys.modules[name].seed()
        return program


exec(globals().pop("_server")())
