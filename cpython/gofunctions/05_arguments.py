def calling_channel(gateway):
    """The channel of the execution whose code calls, None if there is none or it has ended."""
    frame = sys._getframe(2)
    while frame is not None:
        names = frame.f_globals
        if names.get("__name__") == EXECUTION:
            channel = names.get("channel")
            if type(channel) is Channel and channel._executing:
                return channel
            for id_, scope in list(getattr(ExecutionModule, "scopes", ())):
                if scope == id(names):  # the program has given the name to something else
                    return find_channel(list(gateway._running), id_)
            return None
        frame = frame.f_back
    return None


def save_plain(args, parts):
    """Save args, and that there are no kwargs, if all are simple values. Return whether they are."""
    for arg in args:
        kind = type(arg)
        if kind is bytes:
            parts += pack_i4(b"A", len(arg)), arg
        elif kind is text:
            try:
                arg = arg.encode("utf-8")
            except UnicodeError:
                return False
            parts += pack_i4(b"N", len(arg)), arg
        elif kind is int and -2147483648 <= arg <= 2147483647:
            parts.append(pack_i4(b"F", arg))
        elif kind is float or kind is bool or arg is None:
            save(arg, parts.append)
        else:
            return False
    parts += pack_i4(b"@", len(args)), b"J@\0\0\0\4Q"
    return True


def names_channels(parts):
    """Whether a saved value may contain a channel: it does if there is one."""
    for part in parts:
        if len(part) == 5 and part[:1] == b"B":
            return True
    return False


def refusal(function, args, kwargs):
    """Why a function cannot be called with these arguments."""
    named = [("argument %d" % (i + 1), arg) for i, arg in enumerate(args)]
    named += [("argument %s" % shown(name), kwargs[name]) for name in kwargs]
    for name, arg in named:
        try:
            save(arg, [].append)
        except (DumpError, UnicodeError, RuntimeError, struct.error):
            path, problem = find_fault(arg, str_of(sys.exc_info()[1]))
            if path:
                name += ", " + path
            if callable(arg):
                problem = "a Go function cannot call back into Python; give it a channel instead"
            return "%s() %s: %s" % (function._dotted, name, problem)
    return "%s(): the arguments cannot be sent: they changed meanwhile" % function._dotted


def str_of(error):
    try:
        return str(error)
    except UnicodeError:  # Python 2
        return text(error)
