# Values to bytes and back (protocol.md section 4).


class DataFormatError(Exception):
    pass


class DumpError(DataFormatError):
    """A value cannot be serialized."""


class LoadError(DataFormatError):
    """Bytes are not a serialized value."""


def itoa(i):
    """The decimal digits of any int. (Since Python 3.11 str() refuses ints with many digits.)"""
    if -10 ** 600 < i < 10 ** 600:
        return b"%d" % i
    if i < 0:
        return b"-" + itoa(-i)

    def digits(i, n):
        if n <= 600:
            return (b"%d" % i).rjust(n, b"0")
        high, low = divmod(i, 10 ** (n // 2))
        return digits(high, n - n // 2) + digits(low, n // 2)
    return digits(i, i.bit_length() * 30103 // 100000 + 2).lstrip(b"0")


def atoi(s):
    if len(s) <= 600:
        return int(s)
    if s[:1] == b"-":
        return -atoi(s[1:])
    if not s.isdigit():
        raise LoadError("not a number")
    half = len(s) // 2
    return atoi(s[:-half]) * 10 ** half + atoi(s[-half:])


def save(x, write):
    t = type(x)
    if t is int or t is long:
        small = t is int or t is not long
        if -2147483648 <= x <= 2147483647:
            write(pack_i4(b"F" if small else b"G", x))
        else:
            digits = itoa(x) if x.bit_length() <= MAX_BITS else b""
            if not 0 < len(digits) - (x < 0) <= MAX_DIGITS:
                raise DumpError
            write(pack_i4(b"H" if small else b"I", len(digits)))
            write(digits)
    elif t is text:
        raw = x.encode("utf-8")
        write(pack_i4(b"S" if PY2 else b"N", len(raw)))
        write(raw)
    elif t is bytes:
        write(pack_i4(b"M" if PY2 else b"A", len(x)))
        write(x)
    elif x is None:
        write(b"L")
    elif t is bool:
        write(b"R" if x else b"C")
    elif t is float:
        write(struct.pack("!cd", b"D", x))
    elif t is list:
        write(pack_i4(b"K", len(x)))
        for i, item in enumerate(x):
            write(pack_i4(b"F", i))
            save(item, write)
            write(b"P")
    elif t is dict:
        write(b"J")
        for key in x:
            save(key, write)
            save(x[key], write)
            write(b"P")
    elif t in (tuple, set, frozenset):
        for item in x:
            save(item, write)
        write(pack_i4(b"@" if t is tuple else b"O" if t is set else b"E", len(x)))
    elif t is complex:
        write(struct.pack("!cdd", b"T", x.real, x.imag))
    elif t is Channel:
        write(pack_i4(b"B", x.id))
    elif t.__name__ in BY_NAME and t is not BY_NAME[t.__name__]:
        save(BY_NAME[t.__name__](x), write)
    elif type(getattr(write, "__self__", None)) is Answer and is_a(x, "numpy", "ndarray") and x.ndim:
        write.__self__.save_array(x)
    else:
        raw = buffer_of(x)
        write(pack_i4(b"A", len(raw)))
        write(raw)


def buffer_of(x, copy=True):
    """The bytes of an object that has the buffer protocol, in the order of its items.

    Without copy they may be a view of its memory.
    """
    if PY2 and isinstance(x, (bytes, text)):
        raise DumpError  # a subclass, which is text to others
    try:
        view = memoryview(x)
    except (ValueError, BufferError):
        raise DumpError(str(sys.exc_info()[1]))
    except TypeError:
        try:
            return bytes(buffer(x))  # Python 2 has an old protocol besides: array.array, mmap
        except (NameError, TypeError):
            raise DumpError
    if not view.ndim:
        raise DumpError  # a number of numpy or ctypes, which should not become bytes by mistake
    if "O" in "".join(view.format.split(":")[::2]):  # between colons are the names of fields
        raise DumpError("it holds pointers to objects")
    if not copy and not PY2 and view.c_contiguous and view.nbytes:
        try:
            return view.cast("B")
        except (TypeError, ValueError):
            pass  # its items have a byte order or fields
    return view.tobytes()


MAX_DIGITS, MAX_BITS = 4300, 14285  # of an int: Python 3.11 and later load no longer one
MAX_SIZE = 2147483647
# Python execnet chooses by the name of a type. So it takes numpy.bool, which is called bool.
BY_NAME = dict((t.__name__, t) for t in (
    bool, int, long, float, complex, bytes, text, list, tuple, dict, set, frozenset))


def dumps(obj):
    out = []
    try:
        save(obj, out.append)
        out.append(b"Q")
        if sum(map(len, out)) <= MAX_SIZE:
            return b"".join(out)
        path, problem = "", "it takes more than %d bytes" % MAX_SIZE
    except (DumpError, UnicodeError, RuntimeError, struct.error):
        problem = str(sys.exc_info()[1])
        path, problem = find_fault(obj, problem)
    if len(path) > 200:
        path = path[:100] + "..." + path[-100:]
    raise DumpError("can't serialize %s: %s" % (path or "the value", problem))


def find_fault(obj, problem):
    """The path to the first part of a value that cannot be sent, and why it cannot.

    A value that cannot be sent is searched once more: remembering the path while values are saved
    would cost time for all those that can.
    """
    path, containers, levels = [], [], [iter([("", obj)])]
    try:
        while levels:
            for step, x in levels[-1]:
                path.append(step)
                if any(x is outer for outer in containers):
                    return "".join(path), "the value contains itself"
                fault = fault_of(x)
                if fault:
                    return "".join(path), fault
                if type(x) in (list, tuple, dict, set, frozenset):
                    containers.append(x)
                    levels.append(steps_into(x))
                    break
                path.pop()
            else:
                levels.pop()
                if levels:
                    containers.pop()
                    path.pop()
            if len(levels) > sys.getrecursionlimit():
                return "".join(path), "nested too deep"
    except RuntimeError:
        problem = sys.exc_info()[1]
    return "", "nested too deep, or changed while it is sent: %s" % problem


def steps_into(x):
    """The members of a container, each after its step of a path."""
    if type(x) in (list, tuple):
        for i, item in enumerate(x):
            yield "[%d]" % i, item
    elif type(x) is dict:
        for key in x:
            yield "[%s]" % shown(key), key
            yield "[%s]" % shown(key), x[key]
    else:
        for item in x:
            yield "{%s}" % shown(item), item


def shown(x):
    try:
        if type(x) in (str, text):
            marks = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
            out = '"%s"' % "".join([marks.get(c, c) for c in x])
            out = out.encode("utf-8") if PY2 and type(out) is text else out
        else:
            out = repr(x)
    except Exception:
        out = "<%s>" % type(x).__name__
    return out if len(out) <= 60 else out[:60] + "..."


def fault_of(x):
    """Why x cannot be sent, whatever is in it. None if it can."""
    t = type(x)
    if t is int or t is long:
        if x.bit_length() > MAX_BITS or len(itoa(abs(x))) > MAX_DIGITS:
            return "an int of more than %d digits" % MAX_DIGITS
    elif t is text:
        try:
            size = len(x.encode("utf-8"))
        except UnicodeError:
            return "the string is not valid UTF-8: %s" % sys.exc_info()[1]
        if size > MAX_SIZE:
            return "a string of %d bytes is too long" % size
    elif t is bytes or t in (list, tuple, set, frozenset):
        if len(x) > MAX_SIZE:
            return "%d %s are too many" % (len(x), "bytes" if t is bytes else "items")
    elif not (x is None or t in (bool, float, complex, dict, Channel) or t.__name__ in BY_NAME):
        try:
            size = len(buffer_of(x, copy=False))
        except DumpError:
            why = str(sys.exc_info()[1])
            return "%s cannot be sent%s" % (t, why and ": " + why)
        if size > MAX_SIZE:
            return "%d bytes are too many" % size


TOO_COSTLY = ("takes more memory than %d times its size and 1 MiB (set EXECNET_MAX_COST to allow more),"
              % MAX_COST)


# Opcodes as data[i] has them: ints, or strings in Python 2.
(OP_A, OP_B, OP_C, OP_D, OP_F, OP_G, OP_H, OP_I, OP_J, OP_K, OP_L, OP_M, OP_N, OP_O, OP_P, OP_Q, OP_R,
 OP_S, OP_T, OP_TUPLE) = b"ABCDFGHIJKLMNOPQRST@"
# Opcodes as structs unpack them: ints in Python 2 as well.
CODE_A, CODE_F, CODE_N, CODE_Q = bytearray(b"AFNQ")
SIZED, COUNTED = tuple(b"NAMSHI"), tuple(b"K@OE")


def loads(data, gateway=None, strconfig=(True, False)):
    """Load one value. It is a stack machine, so nested values need memory but no recursion.

    Lengths are checked before they are used. room is how much memory the value may still take. It
    is reduced by what costs many times its bytes: dicts, sets, channels, and the lengths of lists.
    """
    stack = []
    push, pop = stack.append, stack.pop
    pos, size = 0, len(data)
    room = 1048576 + MAX_COST * size
    try:
        while True:
            op = data[pos]
            pos += 1
            if op == OP_F or op == OP_G:
                i = unpack_i4(data, pos)[0]
                push(long(i) if op == OP_G else i)
                pos += 4
            elif op == OP_P:
                value, key, box = pop(), pop(), stack[-1]
                if type(box) is not dict and (type(box) is not list or key < 0):
                    raise LoadError("misplaced SETITEM")
                box[key] = value
            elif op in SIZED:
                start = pos + 4
                pos = start + unpack_i4(data, pos)[0]
                if not start <= pos < size:
                    raise LoadError("bad length")
                raw = data[start:pos]
                if op == OP_S or op == OP_N and not strconfig[1]:
                    raw = raw.decode("utf-8")
                elif op == OP_M and strconfig[0] and not PY2:
                    raw = raw.decode("latin-1")
                elif op == OP_H:
                    raw = atoi(raw)
                elif op == OP_I:
                    raw = long(atoi(raw))
                push(raw)
            elif op == OP_L:
                push(None)
            elif op == OP_R or op == OP_C:
                push(op == OP_R)
            elif op == OP_D:
                push(unpack_f8(data, pos)[0])
                pos += 8
            elif op == OP_T:
                push(complex(unpack_f8(data, pos)[0], unpack_f8(data, pos + 8)[0]))
                pos += 16
            elif op == OP_J:
                room -= 160
                if room < 0:
                    raise LoadError(TOO_COSTLY)
                push({})
            elif op == OP_Q:
                break
            elif op in COUNTED:
                n = unpack_i4(data, pos)[0]
                pos += 4
                if n < 0 or n > (size - pos if op == OP_K else len(stack)):
                    raise LoadError("bad length")
                room -= 8 * n if op == OP_K else 0 if op == OP_TUPLE else 240
                if room < 0:
                    raise LoadError(TOO_COSTLY)
                if op == OP_K:
                    push([None] * n)
                else:
                    items = stack[len(stack) - n:]
                    del stack[len(stack) - n:]
                    push((tuple if op == OP_TUPLE else set if op == OP_O else frozenset)(items))
            elif op == OP_B and gateway is not None:
                room -= 1200
                if room < 0:
                    raise LoadError(TOO_COSTLY)
                channel = gateway._channelfactory.new(unpack_i4(data, pos)[0])
                push(channel._object[0] if channel._object else channel)
                pos += 4
            else:
                raise LoadError("unknown opcode %r" % data[pos - 1:pos])
    except (LoadError, LookupError, TypeError, ValueError, struct.error):
        raise LoadError("%s at offset %d" % (sys.exc_info()[1], pos))
    if len(stack) != 1 or pos != size:
        raise LoadError("not exactly one value, ends at %d of %d bytes" % (pos, size))
    return stack[0]
