# What a call names, and the values of its arguments and of its answer.


def find_function(path, found={}):
    """What a dotted path names: attributes of the longest module that can be imported.

    Where it was found is kept, not what: names may be bound anew. A path without a dot names a
    builtin.
    """
    name, parts = found.get(path) or (None, path.split("."))
    module = sys.modules.get(name)
    new = module is None
    if new:
        if len(parts) == 1 and name is None:
            builtins = __import__("__builtin__" if PY2 else "builtins")
            if not hasattr(builtins, path):
                raise AttributeError("no builtin is named '%s'; of a module, name what to call: '%s.NAME'" % (path, path))
            parts.insert(0, builtins.__name__)
        else:
            parts = path.split(".")
        name = parts.pop(0)
        __import__(name)
        module = sys.modules[name]
        while len(parts) > 1:
            longer = name + "." + parts[0]
            if longer not in sys.modules and not hasattr(module, "__path__"):
                break
            try:
                __import__(longer)
            except ImportError as error:
                # It may be that the module is there, and imports one that is not.
                if sys.exc_info()[2].tb_next if PY2 else error.name != longer:
                    raise
                break
            name = longer
            module = sys.modules[name]
            del parts[0]
    for part in parts:
        module = getattr(module, part)
    if new:
        if isinstance(module, type(sys)):
            raise TypeError("%s is a module; name what to call in it: '%s.NAME'" % (path, path))
        if not callable(module):
            raise TypeError("%s is no function: '%s' object is not callable" % (path, type(module).__name__))
        if len(found) > 1000:
            found.clear()
        found[path] = name, parts
    return module


def load_request(data, gateway, strconfig):
    return simple_request(data, strconfig) or loads(data, gateway, strconfig)


def simple_request(data, strconfig):
    """A call without kwargs whose arguments are texts, bytes and small ints, as loads() returns it.

    None for any other request. This is quicker, and such a call names no channels.
    """
    end = len(data) - 11
    if not (PY2 or strconfig[1] or end < 10):
        op, n, kind, size = unpack_call(data)
        if (op, kind) == (OP_F, OP_N) and data[end + 5:] == END_OF_CALL:
            pos, args = 10 + size, []
            function = data[10:pos].decode("utf-8")
            while 10 <= pos < end:
                op, size = unpack_part(data, pos)
                pos += 5
                if op == OP_F:
                    args.append(size)
                    continue
                raw = data[pos:pos + size]
                pos += size
                if size < 0 or op != OP_A and op != OP_N:
                    break
                args.append(raw if op == OP_A else raw.decode("utf-8"))
            if pos == end and unpack_part(data, end) == (OP_TUPLE, len(args)):
                return n, function, tuple(args)


def call_function(request):
    """Make a call: (number, function, args[, kwargs[, ...[, True]]]).

    The function is a path, or a tuple: an object and a path from there. True stands for arrays.
    """
    function, args = request[1], request[2]
    if len(request) == 3 and type(function) is not tuple:
        return find_function(function)(*args)
    kwargs = request[3] if len(request) > 3 else {}
    if request[-1] is True:
        args, kwargs = with_arrays(args), with_arrays(kwargs)
    if PY2:
        kwargs = dict((str(key), kwargs[key]) for key in kwargs)
    if type(function) is not tuple:
        return find_function(function)(*args, **kwargs)
    found, path = function
    for name in path.split("."):
        found = getattr(found, name)
    return found(*args, **kwargs)


def dump_answer(id, n, value):
    """The parts of the message that answers call n on a channel: the tuple of n and the value."""
    t = type(value)
    if PY2:
        pass
    elif t is bytes and len(value) < MAX_SIZE - 100:
        size = len(value)
        head = pack_answer(CHANNEL_DATA, id, size + 16, b"F", n, b"A", size)
        return [head, value, END_OF_ANSWER] if size > CHUNK else [head + value + END_OF_ANSWER]
    elif t is int and -2147483648 <= value <= 2147483647:
        return [pack_answer(CHANNEL_DATA, id, 16, b"F", n, b"F", value) + END_OF_ANSWER]
    elif value is None:
        return [pack_text(CHANNEL_DATA, id, 12, b"F", n) + b"L" + END_OF_ANSWER]
    elif t is text and len(value) < CHUNK:
        try:
            raw = value.encode()
            head = pack_answer(CHANNEL_DATA, id, len(raw) + 16, b"F", n, b"N", len(raw))
            return [head + raw + END_OF_ANSWER]
        except UnicodeError:
            pass  # dumps raises it with its place
    parts = dump_plain(value, pack_i4(b"F", n), END_OF_ANSWER)
    head = pack_head(CHANNEL_DATA, id, sum(map(len, parts)))
    if len(parts) == 1 and len(parts[0]) <= CHUNK:
        return [head + parts[0]]
    return [head] + parts


def dump_plain(value, head=b"", end=b"Q"):
    """The parts of a value, or of what is sent instead of it, between head and end."""
    for form in None, plain:
        try:
            out = Answer((head,))
            if form:
                value = form(value)
            save(value, out.append)
            out.append(end)
            if out.large and len(out) < 200:
                return out  # one system call writes so many parts, and nothing is copied
            joined = b"".join(out)
            if len(joined) <= MAX_SIZE:
                return [joined]
        except (DumpError, UnicodeError, RuntimeError, struct.error):
            pass  # RuntimeError: it contains itself, or is nested too deep, which dumps says
    try:
        return [b"".join((head, dumps(value)[:-1], end))]
    except DumpError:
        problem = str(sys.exc_info()[1])
    if head and problem.startswith("can't serialize the value") and problem.endswith("cannot be sent"):
        problem += "; " + instead_of(value)
    raise DumpError(problem)


def instead_of(result):
    """What a driver can do about a result that cannot be sent."""
    if hasattr(type(result), "__await__"):
        return "in the function, asyncio.run() gives its result"
    if hasattr(type(result), "__iter__"):
        return "RemoteIter iterates over it"
    return "New makes a handle of it"


def is_iterator(x):
    return hasattr(type(x), "next" if PY2 else "__next__")


class Answer(list):
    """The parts of an answer. In it arrays of numpy are sent with their types and shapes."""

    large = False  # whether it has a part that had better not be copied

    def save_array(self, x):
        if x.dtype.kind not in "biufc":
            raise DumpError  # plain makes a list of it
        raw = buffer_of(x, copy=False)
        self.large = self.large or len(raw) > CHUNK
        self.append(b"J")
        for name, value in ("dtype", text(x.dtype.str)), ("shape", x.shape):
            save(text(name), self.append)
            save(value, self.append)
            self.append(b"P")
        save(text("data"), self.append)
        self.extend((pack_i4(b"A", len(raw)), raw, b"P"))


def with_arrays(x):
    """x with an array of numpy in the place of each dict that describes one."""
    t = type(x)
    if t is dict and "dtype" in x and "shape" in x and "data" in x:
        # A bytearray, since arrays are usually written to.
        return __import__("numpy").ndarray(tuple(x["shape"]), str(x["dtype"]), bytearray(x["data"]))
    if t is dict:
        return dict((key, with_arrays(x[key])) for key in x)
    return t(map(with_arrays, x)) if t in (list, tuple) else x


def plain(x):
    """The value that is sent instead of x in the result of a call (protocol.md section 6.8)."""
    t = type(x)
    if x is None or t in (bool, int, long, float, complex, bytes, text, Channel):
        return x
    if is_a(x, "enum", "Enum"):
        return plain(x.value)
    if t.__module__ == "numpy" and not isinstance(x, type) and getattr(x, "shape", None) == ():
        return plain(x.item())
    if is_a(x, "numpy", "ndarray") and x.dtype.kind not in "biufc":
        return plain(x.tolist())
    if is_a(x, "datetime", "date", "time"):  # a datetime is a date
        return x.isoformat()
    if is_a(x, "datetime", "timedelta"):
        return x.total_seconds()
    for module, name in PLAIN_TEXT:
        if is_a(x, module, name):
            return text(x)
    if hasattr(t, "__dataclass_fields__"):
        return dict((name, plain(getattr(x, name))) for name in t.__dataclass_fields__)
    if isinstance(x, dict):
        return dict((plain(key), plain(x[key])) for key in x)
    for base in list, tuple, set, frozenset:
        if isinstance(x, base):
            return base(map(plain, x))
    for base in int, long, float, text, bytes:
        if isinstance(x, base):
            return base.__new__(base, x)
    return x


PLAIN_TEXT = (("decimal", "Decimal"), ("fractions", "Fraction"), ("uuid", "UUID"), ("pathlib", "PurePath"))


def is_a(x, module, *names):
    """Whether x is of one of these classes; it is not if nobody has imported their module."""
    return isinstance(x, tuple(
        cls for cls in [getattr(sys.modules.get(module), name, None) for name in names] if isinstance(cls, type)))


END_OF_CALL, END_OF_ANSWER = pack_i4(b"@", 3) + b"Q", pack_i4(b"@", 2) + b"Q"
