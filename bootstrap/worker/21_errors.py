# What the driver is told of an exception.


def is_orderly(error, channel):
    """Whether an execution that ends with this exception has done what it should.

    That are sys.exit(), also with 0, and the EOFError of receive() at the end of its channel. To
    Python execnet, which does not ask for more about errors, sys.exit() is an error.
    """
    try:
        if isinstance(error, SystemExit):
            orderly = error.code is None or isinstance(error.code, int) and error.code == 0
            return bool(orderly and channel.gateway._errors)
        return isinstance(error, EOFError) and getattr(error, "channelid", None) == channel.id
    except Exception:
        return False  # of a class that computes its attributes


def describe(kind, exc):
    """What a driver can ask about an exception, beside its text (protocol.md section 6.7)."""
    try:
        message = text(exc)
    except Exception:
        try:
            message = str(exc)
        except Exception:
            message = "<exception str() failed>"
    mro = [qualified(cls) for cls in getattr(kind, "__mro__", [kind])[:100]]
    return {"class": mro[0], "message": sendable(message), "mro": mro}


def qualified(cls):
    """The name of a class and its module. Modules have the names that Python 3 gives them."""
    module = cls.__module__
    if PY2 and module in ("exceptions", "__builtin__"):
        module = "builtins"
    return sendable("%s.%s" % (module, getattr(cls, "__qualname__", cls.__name__)))[:1000]


ERROR_TEXT_LIMIT = 1 << 20  # bytes


def sendable(shown, limit=ERROR_TEXT_LIMIT):
    """shown as text that can be serialized. If it is very long, it loses its middle."""
    if PY2:
        if type(shown) is text and any(u"\ud800" <= c <= u"\udfff" for c in shown):
            raw = shown.encode("ascii", "backslashreplace")
        else:
            raw = shown.encode("utf-8") if type(shown) is text else shown
    else:
        raw = shown.encode("utf-8", "backslashreplace")
    if len(raw) <= limit:
        return raw.decode("utf-8", "replace")
    half = limit // 2
    return u"%s\n[... %d bytes are left out here ...]\n%s" % (
        raw[:half].decode("utf-8", "replace"), len(raw) - 2 * half,
        raw[-half:].decode("utf-8", "replace"))


def geterrortext(source=None, file_name=None):
    """The traceback of the exception being handled, as text, without the frames of this file.

    It raises nothing. Where formatting fails (the exception's own __str__ may do anything, and
    imports need descriptors), the text is made in a simpler way, down to the name of the type.
    """
    kind, exc, tb = sys.exc_info()
    limit = None
    try:
        here = run.__code__.co_filename
        while tb is not None and tb.tb_frame.f_code.co_filename == here:
            tb = tb.tb_next
        # Nor those that call a Go function, and those in which it raises such errors on purpose.
        hidden = ["<Go functions>"]
        if isinstance(exc, (DataFormatError, RemoteError, EnvironmentError, EOFError)):
            hidden.append(here)
        frames, at, last = 0, tb, tb
        while at is not None:
            frames += 1
            if at.tb_frame.f_code.co_filename not in hidden:
                limit, last = frames, at
            at = at.tb_next
        if limit == frames:
            limit = None
        elif limit and sys.version_info >= (3, 7):
            limit, last.tb_next = None, None  # a limit would hold for the causes, too
        lines = None
        if source is not None:
            if PY2 and type(source) is text:
                source = source.encode("utf-8")  # the rest of a traceback is bytes in Python 2
            lines = [line + "\n" for line in source.split("\n")]
    except BaseException:
        lines = None
    for form in (full_traceback, plain_traceback, last_line):
        try:
            out = form(kind, exc, tb, limit, lines, file_name)
            return sendable(out)
        except BaseException:
            pass  # also a KeyboardInterrupt: the driver waits for the end of its channel
    return u"an exception whose type has no name\n"


def full_traceback(kind, exc, tb, limit, lines, file_name):
    traceback = stdlib("traceback")
    if lines is not None:
        size = sum(map(len, lines))
        traceback.linecache.cache[file_name] = size, None, lines, file_name
    out = "".join(traceback.format_exception(kind, exc, tb, limit))
    return out if tb is not None else "Traceback (most recent call last):\n" + out


def plain_traceback(kind, exc, tb, limit, lines, file_name):
    """Like full_traceback, without modules, causes and what only newer Pythons show."""
    out = ["Traceback (most recent call last):\n"]
    while tb is not None and limit != 0:
        limit = limit and limit - 1
        code, n = tb.tb_frame.f_code, tb.tb_lineno
        out.append('  File "%s", line %d, in %s\n' % (code.co_filename, n, code.co_name))
        if lines is not None and code.co_filename == file_name and 0 < n <= len(lines):
            out.append("    %s\n" % lines[n - 1].strip())
        tb = tb.tb_next
    try:
        message = "%s" % (exc,)
        if not isinstance(message, str):
            message = message.encode("utf-8")
    except BaseException:
        message = "<unprintable %s object>" % kind.__name__
    module = getattr(kind, "__module__", None)
    out.append(module + "." if module not in ("builtins", "exceptions", "__main__") else "")
    out.append(kind.__name__ + (": " + message if message else "") + "\n")
    return "".join(out)


def last_line(kind, exc, tb, limit, lines, file_name):
    return "Traceback (most recent call last):\n%s\n" % type.__getattribute__(kind, "__name__")


def complain(*parts):
    """Write to stderr, whatever state that is in."""
    try:
        parts = [part.encode("utf-8") if PY2 and type(part) is text else part for part in parts]
        tell("[%d] %s\n" % (getpid(), " ".join(parts)))
    except Exception:
        pass


def tell(said, patience=[1.0]):
    """Write to stderr what it takes.

    The driver may have stopped reading it. Nothing waits longer for that than a second, and after
    that nothing waits at all until it takes something again.
    """
    try:
        fd = sys.stderr.fileno()
    except Exception:
        return sys.stderr.write(said)  # remote code has put something else in its place
    if not isinstance(said, bytes):
        said = said.encode("utf-8", "backslashreplace")
    # This does not use the file: another thread may hold its lock, and wait.
    while said and poll_fd(fd, patience[0], True) is not False:
        said = said[os.write(fd, said[:ATOMIC]):]
    patience[0] = 0 if said else 1.0


def out_of_memory():
    """End the process: there is not even the memory for telling the driver of one channel's end."""
    os.write(2, b"execnet worker: out of memory\n")
    os._exit(1)
