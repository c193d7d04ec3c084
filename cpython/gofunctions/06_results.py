def load_result(data, call, at=0):
    """loads(data[at:], call), but quicker for a single number or text, and for bytes."""
    size = len(data) - at
    if size > 5:
        op, n = unpack_value(data, at)
        if op == CODE_F and size == 6:
            return n
        if op == CODE_A and size == n + 6:
            return data[at + 5:-1]
        if op == CODE_N and size == n + 6:
            return data[at + 5:-1].decode("utf-8")
    elif data[at:] == b"LQ":
        return None
    return loads(data[at:], call)


def exception(classes, message, channel_id, frames):
    """The exception for the error of a Go function.

    classes are the class's name and those of its bases: this Python may not have all of them.
    channel_id is that of the channel whose end it is. frames tell where in Go a panic was.
    """
    builtins = sys.modules["__builtin__" if PY2 else "builtins"]
    if frames and sys.version_info < (3, 11):
        message += u"\n" + frames
    if PY2:
        message = message.encode("utf-8")
    for name in classes:
        ours = name.startswith(u"execnet.gateway_base.")
        kind = globals().get(name[21:]) if ours else getattr(builtins, str(name), None)
        try:
            error = kind(message) if message or name == u"execnet.gateway_base.RemoteError" else kind()
            break
        except Exception:
            pass  # there is none of this name, or it takes other arguments, as UnicodeDecodeError
    else:
        error = RuntimeError(message)
    if channel_id is not None:
        error.channelid = channel_id
    if frames and sys.version_info >= (3, 11):
        error.add_note(frames)
    return error
