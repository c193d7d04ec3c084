"""Words of a command line, in the syntax of a POSIX shell."""

__all__ = ["split", "quote", "join"]

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-")


def split(s, comments=False, posix=True):
    if s is None:
        raise ValueError("s argument must not be None")
    if not posix:
        raise NotImplementedError("this Go worker's Python has no shlex.split(posix=False)")
    if not isinstance(s, str):
        raise AttributeError("'%s' object has no attribute 'read'" % type(s).__name__)
    words = []
    word = None  # None between words
    at = 0
    while at < len(s):
        c = s[at]
        at += 1
        if c in " \t\r\n":
            if word is not None:
                words.append("".join(word))
                word = None
        elif c == "#" and comments:
            while at < len(s) and s[at] != "\n":
                at += 1
            if word is not None:
                words.append("".join(word))
                word = None
        elif c == "\\":
            if at == len(s):
                raise ValueError("No escaped character")
            word = word or []
            word.append(s[at])
            at += 1
        elif c in "'\"":
            word = word or []
            while True:
                if at == len(s):
                    raise ValueError("No closing quotation")
                d = s[at]
                at += 1
                if d == c:
                    break
                if d == "\\" and c == '"':
                    if at == len(s):
                        raise ValueError("No escaped character")
                    if s[at] in '"\\':
                        d = s[at]
                        at += 1
                word.append(d)
        else:
            word = word or []
            word.append(c)
    if word is not None:
        words.append("".join(word))
    return words


def quote(s):
    if isinstance(s, bytes):
        if not s:
            return "''"
        raise TypeError("cannot use a string pattern on a bytes-like object")
    if not s:
        return "''"
    if not isinstance(s, str):
        raise TypeError("expected string or bytes-like object, got '%s'" % type(s).__name__)
    for c in s:
        if c not in _PLAIN:
            return "'" + s.replace("'", "'\"'\"'") + "'"
    return s


def join(split_command):
    return " ".join([quote(word) for word in split_command])
