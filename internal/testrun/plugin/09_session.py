# A session: pytest's start, in a worker or in a process that will be forked.


def complete(pytest):
    """Define what depends on the release of pytest."""
    global fixtures
    release = tuple(int(part) for part in pytest.__version__.split(".")[:2])

    @pytest.fixture(scope="session")
    def worker_id(request):
        """The id of this worker, such as gw0."""
        return request.config.workerinput["workerid"]

    @pytest.fixture(scope="session")
    def testrun_uid(request):
        """What distinguishes this run from others. It is the same in all its workers."""
        return request.config.workerinput["testrunuid"]

    fixtures = type(os)("execnet_fixtures")
    fixtures.worker_id, fixtures.testrun_uid = worker_id, testrun_uid

    if release >= (7, 0):
        def pytest_ignore_collect(self, collection_path):
            return self.ignore(collection_path)
    else:
        def pytest_ignore_collect(self, path):
            return self.ignore(path)
    Plugin.pytest_ignore_collect = pytest_ignore_collect
    if release >= (6, 0):
        def pytest_warning_recorded(self, warning_message, when, nodeid, location):
            self.warned(nodeid, warning_message)
        Plugin.pytest_warning_recorded = pytest_warning_recorded
    else:
        def pytest_warning_captured(self, warning_message, when, item):
            self.warned(getattr(item, "nodeid", ""), warning_message)
        Plugin.pytest_warning_captured = pytest_warning_captured
    first = pytest.hookimpl(tryfirst=True)
    for part, name in ((Plugin, "pytest_configure"), (Plugin, "pytest_sessionstart"), (Running, "pytest_runtestloop")):
        setattr(part, name, first(vars(part)[name]))


def main(channel):
    """Run a session in this process."""
    settings = channel.receive()
    plugin = make(settings)
    if plugin is None:
        return channel.send([("failed", 3, u"pytest is missing there (%s); install it: %s -m pip install pytest" % (
            settings["missing"], text_of(sys.executable or "python")))])
    plugin.attach(channel, settings)
    code, text = start(plugin, lambda config: config.hook.pytest_cmdline_main(config=config))
    plugin.end(code, text)


def make(settings):
    """The plugin, with everything done that comes before a start of pytest. None without pytest."""
    args = [str(arg) if not PY2 else arg.encode("utf-8") for arg in settings["args"]]
    set_environment(settings)
    try:
        import pytest
        from pytest import UsageError  # a folder of that name has none
    except ImportError:
        settings["missing"] = text_of(sys.exc_info()[1])
        return None
    # As by "pytest": the folder is not the first place. But what lies there is found at last.
    while "" in sys.path:
        sys.path.remove("")
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    sys.argv[:] = ["pytest"] + args
    settings["args"] = args
    settings["workerinput"]["mainargv"] = list(sys.argv)
    settings["xdist"], settings["looponfail"] = find_xdist(args + os.environ.get("PYTEST_ADDOPTS", "").split())
    os.environ["PYTEST_VERSION"] = pytest.__version__
    complete(pytest)
    return Plugin(settings)


def rare_collections():
    """Let garbage be looked for rarely, until what this returns is called: nearly everything that
    imports and collecting make is there to stay."""
    import gc
    if not hasattr(gc, "get_threshold"):
        return lambda: None  # PyPy
    usual = gc.get_threshold()
    rare = (max(usual[0], 10000),) + usual[1:]
    if usual[0]:
        gc.set_threshold(*rare)

    def end():
        if gc.get_threshold() == rare:  # otherwise the suite has set it
            gc.set_threshold(*usual)
    return end


def read_settings(folder):
    """The settings of the process that will be forked, which has this folder in PYTHONPATH."""
    import json
    sys.path[:] = [place for place in sys.path if os.path.abspath(place or ".") != folder]
    with open(os.path.join(folder, "settings")) as file:
        settings = json.load(file)
    settings["env"]["PYTHONPATH"] = settings["pythonpath"]
    return settings


def set_environment(settings):
    for name, value in settings["env"].items():
        if value is None:
            os.environ.pop(name, None)
            continue
        os.environ[str(name)] = value if not PY2 else value.encode("utf-8")


def enable_faulthandler(plugin, timeout):
    """Have stacks printed to stderr when the process crashes, and if a test keeps all threads."""
    try:
        import faulthandler
    except ImportError:
        return  # Python 2
    stderr = os.dup(2)  # a file would warn, at the end of the process, that nobody has closed it
    faulthandler.enable(stderr)
    if timeout > 0:
        # The driver asks for stacks when the time is over. That needs a thread of Python.
        plugin.watch = lambda: faulthandler.dump_traceback_later(timeout + 0.6, file=stderr)


def start(plugin, go):
    """Start pytest. It returns an exit code, and why pytest has refused to go on."""
    from _pytest.config import _prepareconfig
    import pytest
    usage = pytest.UsageError
    try:
        config = _prepareconfig(plugin.settings["args"], [plugin])
    except usage:
        return 4, u"\n".join(text_of(arg) for arg in sys.exc_info()[1].args)
    except failures():
        return 4, with_cause(sys.exc_info())
    try:
        plugin.prepare(config)
        return int(go(config) or 0), u""
    except usage:
        return 4, u"\n".join(text_of(arg) for arg in sys.exc_info()[1].args)
    except failures():
        return 3, with_cause(sys.exc_info())
    finally:
        if plugin.frozen is None:
            config._ensure_unconfigure()


def failures():
    """What a conftest.py, or a hook of a plugin, may fail with outside of tests."""
    import pytest
    return Exception, SystemExit, pytest.exit.Exception


def with_cause(info):
    """The text of an exception, or of the one that pytest has put into it."""
    import traceback
    cause = getattr(info[1], "cause", None) or getattr(info[1], "__cause__", None)
    if isinstance(cause, BaseException):
        info = type(cause), cause, cause.__traceback__
    elif isinstance(getattr(info[1], "excinfo", None), tuple):
        info = info[1].excinfo
    return u"".join(map(text_of, traceback.format_exception(*info)))
