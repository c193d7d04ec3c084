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
