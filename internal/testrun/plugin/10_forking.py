# One collection for several workers. A process that will be forked imports this source as a module
# and calls collect_here, which configures pytest and collects. In each child go_on takes it from
# there.


class Refused(Exception):
    """This suite, with its plugins, is not to be forked."""


class Asked(dict):
    """The workerinput of a process that is no worker yet. It notes who wants to know the worker."""

    def __init__(self, values):
        dict.__init__(self, values)
        self.asked = None

    def note(self, key):
        if key == "workerid":
            self.note_frame(sys._getframe(2))

    def note_frame(self, frame):
        if self.asked is None and frame.f_globals.get("__name__") not in TOLD:
            self.asked = "%s asks for the worker's id before there are workers" % frame.f_code.co_filename

    def check(self):
        if self.asked:
            raise Refused(self.asked)

    def __getitem__(self, key):
        self.note(key)
        return dict.__getitem__(self, key)

    def get(self, key, default=None):
        self.note(key)
        return dict.get(self, key, default)


def tell_benchmark(config, id):
    benchmarks = getattr(config, "_benchmarksession", None)
    if benchmarks is not None:
        benchmarks.xdist_worker = id


# Modules of plugins that may ask for the worker's id early, since they are told it later: they only
# want to know whether there are workers, and which one warns of that.
TOLD = {"pytest_benchmark.session": tell_benchmark}


class Frozen(object):
    """A session that has collected: all that a child needs to go on with it."""

    def __init__(self, plugin, config, session):
        self.plugin, self.config, self.session = plugin, config, session
        # Where starting or collecting has failed ("configure", "start" or "collect"), and how.
        self.error = None
        self.capture = False  # whether pytest captures what is printed


def collect_here(folder):
    """Collect with the settings in this folder. It returns what a child is to call."""
    try:
        plugin = collect(read_settings(folder))
    except Refused:
        sys.stderr = open(os.devnull, "w")  # nobody needs the traceback
        raise
    return lambda channel: go_on(channel, plugin)


def collect(settings):
    """Start pytest and collect, in the process that will be forked. It returns the plugin."""
    before = open_descriptors()
    asked = settings["workerinput"] = Asked(settings["workerinput"])
    plugin = make(settings)
    if plugin is None:
        raise Refused("pytest is missing")
    usual_environment = watch_environment(asked)
    import _pytest.main as main
    usual = main.wrap_session

    def wrap_session(config, doit):
        if doit is not main._main:
            raise Refused("pytest is to do something else than to run tests")
        freeze(plugin, config, main, asked)
        return 0
    main.wrap_session = wrap_session
    try:
        plugin.failed = start(plugin, lambda config: config.hook.pytest_cmdline_main(config=config))
    finally:
        main.wrap_session = usual
        os.environ.__class__ = usual_environment
        if plugin.header is not None:
            plugin.facts["header"] = plugin.header()
    if plugin.refusal:
        raise Refused(plugin.refusal)
    if plugin.frozen is not None:
        asked.check()
        check_threads()
        import gc
        try:
            check_shared(before)
        except Refused:
            gc.collect()  # that may be garbage
            check_shared(before)
        if hasattr(gc, "freeze"):
            gc.freeze()  # the server need not look for garbage in all this
    return plugin


def check_shared(before):
    """Refuse to fork if workers would share what they must not share, beside descriptors from before."""
    for descriptor, problem in sorted(open_descriptors().items()):
        if descriptor not in before:
            raise Refused(problem)
    check_locks()


def meanwhile(call):
    """Have a forked process work out what a function returns, texts. This returns a function that
    waits for them."""
    import json
    import warnings
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns where C libraries have threads
        pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            with os.fdopen(writing, "w") as file:
                json.dump(call(), file)
        finally:
            os._exit(0)
    os.close(writing)

    def result():
        with os.fdopen(reading) as file:
            text = file.read()
        try:
            os.waitpid(pid, 0)
        except OSError:
            pass  # the suite waits for all children, or for none
        return json.loads(text or "[]")
    return result


def watch_environment(asked):
    """Note who asks the environment for the worker's id. It returns the usual class of that."""
    usual = os.environ.__class__
    inner, before = ("os", "collections.abc", "_collections_abc"), deque(maxlen=3)

    class Environ(usual):
        def __getitem__(self, key):
            if key == "PYTEST_XDIST_WORKER" and not self.are_read(key):
                frame = sys._getframe(1)
                while frame.f_back is not None and frame.f_globals.get("__name__") in inner:
                    frame = frame.f_back
                asked.note_frame(frame)
            before.append(key)
            return usual.__getitem__(self, key)

        def are_read(self, key):
            """Whether all variables are being read, one after the other, as for a copy."""
            names = list(self)
            at = names.index(key) if key in names else 0
            return at > 0 and list(before) == names[max(at - 3, 0):at]
    os.environ.__class__ = Environ
    return usual


def open_descriptors():
    """The sockets, and the files that can be read, that are open, and what they are called."""
    import fcntl
    import stat
    found = {}
    for fd in range(256):
        try:
            status = os.fstat(fd)
            written = fcntl.fcntl(fd, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR) == os.O_WRONLY
        except (OSError, IOError):
            continue
        if stat.S_ISSOCK(status.st_mode):
            found[fd, status.st_dev, status.st_ino] = "a socket is open that workers would share"
        elif stat.S_ISREG(status.st_mode) and not written:
            # Its place in it, and locks that it has, would be those of all.
            found[fd, status.st_dev, status.st_ino] = "a file is open that workers would share%s" % name_of(fd)
    return found


def name_of(fd):
    try:
        return ": " + os.readlink("/proc/self/fd/%d" % fd)
    except (AttributeError, OSError):
        return ""


def check_locks():
    """Refuse to fork if there are locks that only the process can use that has made them."""
    import gc
    kind = getattr(sys.modules.get("filelock"), "BaseFileLock", None)
    # isinstance would ask objects that stand for others, which may make those.
    if kind is not None and any(kind in type(x).__mro__ for x in gc.get_objects()):
        raise Refused("a filelock is there that workers could not use")


def check_threads():
    import threading
    names = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    if names:
        raise Refused("a thread runs that workers would not have: %s" % ", ".join(names))


def freeze(plugin, config, main, asked):
    session = getattr(main.Session, "from_config", main.Session)(config)
    session.exitstatus = 0
    plugin.frozen = frozen = Frozen(plugin, config, session)
    stage = "configure"
    try:
        config._do_configure()
        for name, why in (("_cov", "pytest-cov measures each process"),):
            if config.pluginmanager.hasplugin(name):
                raise Refused(why)
        asked.check()  # before the time that collecting takes
        check_threads()
        stage = "start"
        config.hook.pytest_sessionstart(session=session)
        asked.check()
        stage = "collect"
        config.hook.pytest_collection(session=session)
        plugin.take_stock(session)
    except Refused:
        plugin.refusal = str(sys.exc_info()[1])
    except BaseException:
        frozen.error = stage, sys.exc_info()[1]
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None and getattr(capture, "_global_capturing", None) is not None:
        frozen.capture = True
        capture.stop_global_capturing()


def go_on(channel, plugin):
    """Run the session that was collected, in a worker that has been forked, or was to be."""
    settings = channel.receive()
    set_environment(plugin.settings)  # the worker's setup may have undone it
    set_environment(settings)
    given = plugin.settings["workerinput"]
    if isinstance(given, Asked):
        given.update(settings["workerinput"])
    forked = getpid() != plugin.pid
    plugin.forked = forked
    plugin.attach(channel, dict(plugin.settings, **{"whole": settings["whole"]}))
    if plugin.frozen is None:
        return plugin.end(*plugin.failed)
    import _pytest.main as main
    frozen = plugin.frozen
    config, session = frozen.config, frozen.session
    if frozen.capture:
        capture = config.pluginmanager.getplugin("capturemanager")
        capture.start_global_capturing()
        capture.suspend_global_capture()
    own_folder(config, plugin)
    for tell in TOLD.values():
        tell(config, os.environ.get("PYTEST_XDIST_WORKER"))
    stage, error = frozen.error or (None, None)

    def raise_if(at):
        if stage == at:
            raise error

    class Session(object):
        def __call__(self, config):
            main.Session = usual_session
            return session
        from_config = __call__

    class Hook(object):
        """The hooks of the session, except that it has been started already."""
        def __getattr__(self, name):
            if name != "pytest_sessionstart":
                return getattr(usual_hook, name)
            config.hook = usual_hook
            return lambda session: raise_if("start")

    usual_session, usual_hook = main.Session, config.hook
    main.Session, config.hook = Session(), Hook()
    config._do_configure = lambda: raise_if("configure")

    def run(config, session):
        raise_if("collect")
        config.hook.pytest_runtestloop(session=session)
        return 1 if session.testsfailed else 0 if session.testscollected else 5
    if not forked:
        plugin.say("notice", u"this Python, %s, cannot be forked" % text_of(sys.version.split()[0]))
    if plugin.facts is not None:
        plugin.say("ready", dict(plugin.facts, forked=forked))
    code, text = 3, u""
    try:
        code = int(main.wrap_session(config, run))
    except failures() as e:
        text = with_cause(sys.exc_info())
        if type(e).__name__ == "UsageError":
            code, text = 4, text_of(e)
    plugin.end(code, text)


def own_folder(config, plugin):
    """Let a worker have a folder for temporary files of its own, if the user has named one."""
    factory = getattr(config, "_tmp_path_factory", None)
    given = getattr(factory, "_given_basetemp", None)
    if given is not None and plugin.basetemp:
        factory._given_basetemp = type(given)(plugin.folder_of(plugin.basetemp))
        factory._basetemp = None
