# Runs the source of an execution, in a module of its own.


def run(source, file_name, call_name, kwargs, channel):
    if PY2:
        file_name = file_name.encode("utf-8")
        kwargs = dict((str(key), kwargs[key]) for key in kwargs)
        if type(source) is text:
            source = without_cookie(source)
    scope = {"channel": channel, "__name__": EXECUTION}
    code = compile(source + "\n", file_name, "exec", 0, True)
    module = sys.modules.setdefault(EXECUTION, ExecutionModule(EXECUTION))
    scopes, key = getattr(type(module), "scopes", {}), (channel.id, id(scope))
    scopes[key] = scope
    try:
        exec(code, scope)
        if call_name:
            scope[call_name](channel, **kwargs)
    finally:
        del scopes[key]


def nameable(file_name):
    """The file name as compile() takes it: in PyPy without a locale, as over ssh, only ASCII."""
    if PYPY and sys.getfilesystemencoding() == "ascii":
        return file_name.encode("ascii", "backslashreplace").decode("ascii")
    return file_name


EXECUTION = "__channelexec__"  # the name of the module that source believes to be


class ExecutionModule(type(sys)):
    """The module in sys.modules that shows each execution the names of its own source.

    All executions have this module name, since sources test for it. So an attribute of the module
    is looked up in the names of the source that calls: of the innermost frame that belongs to one.
    Where there is none (in a thread of a library), in those of the latest execution that runs.
    """

    scopes = {}  # the names of the executions that run

    def __getattribute__(self, name):
        scope = scope_of_caller()
        if name == "__dict__":
            return scope
        try:
            return scope[name]
        except KeyError:
            return type(sys).__getattribute__(self, name)

    def __setattr__(self, name, value):
        scope_of_caller()[name] = value

    def __delattr__(self, name):
        try:
            del scope_of_caller()[name]
        except KeyError:
            raise AttributeError(name)

    def __dir__(self):
        return sorted(scope_of_caller())


def scope_of_caller():
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__")
        if name == EXECUTION:
            return frame.f_globals
        if type(name) is str and pickles_for_others(name):
            return {}
        frame = frame.f_back
    scopes = ExecutionModule.scopes.copy()
    return scopes[max(scopes)] if scopes else {}


def pickles_for_others(module):
    """Whether this module makes pickles for processes that have no such execution.

    Then it must not find a source's classes and functions by name. cloudpickle and dill pickle them
    by value instead. multiprocessing fails at once, which is better than in the processes that it
    has spawned: a Pool waits for those for ever.
    """
    if module in ("multiprocessing.reduction", "multiprocessing.forking"):
        if PY2:
            return sys.platform == "win32"
        context, process = map(sys.modules.get, ("multiprocessing.context", "multiprocessing.process"))
        return context.get_spawning_popen() is not None or any(
            getattr(child._popen, "method", "fork") != "fork" for child in list(process._children))
    return not {"cloudpickle", "dill"}.isdisjoint(module.split("."))


def without_cookie(source):
    """The source, with its coding cookie spoiled: Python 2 refuses one in a unicode source."""
    re = stdlib("re")
    lines = source.split("\n", 2)
    for i, line in enumerate(lines[:2]):
        if re.match(r"[ \t\f]*#.*?coding[:=]", line):
            lines[i] = line.replace("coding", "c0ding")
    return "\n".join(lines)
