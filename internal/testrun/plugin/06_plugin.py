# The plugin that pytest is started with.


class Plugin(Messages, Failures, Collecting, Running):
    def __init__(self, settings):
        self.settings = settings
        self.channel = self.queue = None
        self.pid = getpid()
        self.out = []
        self.frozen = self.refusal = self.failed = self.facts = self.header = self.basetemp = self.dist = None
        self.forked = False
        self.session = self.silent = self.current = None
        # What was collected, what there is to tell of it, and what is known of where it is.
        self.items = self.parts = self.stock = self.known = None
        self.usual_collections = rare_collections()
        self.deselected, self.began = 0, 0.0
        self.phases, self.reruns, self.sections = [], 0, set()
        self.plain = True  # whether the phases have passed, with nothing else to tell
        self.hit = False  # whether a KeyboardInterrupt has come out of a test
        self.watch = None  # has the stacks printed if it is not called again in time

    def attach(self, channel, settings):
        """Serve a driver, in the process that runs tests."""
        self.channel, self.settings, self.pid = channel, settings, getpid()
        self.queue = Queue(channel.gateway.execmodel)
        enable_faulthandler(self, settings["timeout"])

    def end(self, code, text):
        if getpid() != self.pid:
            os._exit(1)
        if self.session is None:
            self.tell("failed", code, text)
        else:
            config = self.session.config
            measured = None
            if "cov_worker_node_id" in config.workeroutput:
                options = config.pluginmanager.getplugin("_cov").options
                measured = dict((text_of(name), sendable(value)) for name, value in vars(options).items()
                                if name.startswith("cov_"))
            self.tell("finished", code, text or self.interrupted, measured, text_of(self.topdir))

    def pytest_addhooks(self, pluginmanager):
        if not self.settings["xdist"]:
            pluginmanager.add_hookspecs(XdistHooks)

    def pytest_addoption(self, parser):
        """Options of pytest-xdist that may stand in an ini file, where that is not installed."""
        if self.settings["xdist"]:
            return
        group = parser.getgroup("xdist", "options of pytest-xdist, which have no effect here")
        for names in (("-n", "--numprocesses"), ("--maxprocesses",), ("--max-worker-restart",),
                      ("--dist",), ("--tx",), ("--px",), ("--rsyncdir",), ("--rsyncignore",),
                      ("--testrunuid",), ("--maxschedchunk",)):
            group._addoption(*names, action="append", dest="xdist_%s" % names[-1].strip("-").replace("-", "_"), help="no effect")
        for names in (("-d",), ("--no-loadscope-reorder",)) + (
                () if self.settings["looponfail"] else (("-f", "--looponfail"),)):
            group._addoption(*names, action="store_true", dest="xdist_%s" % names[-1].strip("-").replace("-", "_"), help="no effect")
        for name in ("rsyncdirs", "rsyncignore") + (() if self.settings["looponfail"] else ("looponfailroots",)):
            parser.addini(name, "no effect here", type="linelist")

    def prepare(self, config):
        """Make a configuration that of a worker."""
        option = config.option
        self.dist = asked_dist(option)
        for name, value in (("numprocesses", None), ("maxprocesses", None), ("dist", "no"),
                            ("distload", False), ("looponfail", False), ("tx", []), ("px", []),
                            ("usepdb", False), ("loadgroup", False)):
            if hasattr(option, name):
                setattr(option, name, value)
        usual = config._do_configure

        def configure():
            # Behind that, because pytest's reporter is made there, and not in a hook: in some
            # releases, hooks that go while one is called make it be called twice.
            usual()
            self.silence(config)
        config._do_configure = configure
        config.workerinput = self.settings["workerinput"]
        config.workeroutput = {}
        self.basetemp = getattr(option, "basetemp", None)
        if self.basetemp:
            option.basetemp = self.folder_of(self.basetemp)
        root = getattr(config, "rootpath", None) or config.rootdir
        self.root = text_of(root)
        self.topdir = os.getcwd()
        measured = config.pluginmanager.getplugin("_cov")
        if measured is not None:
            # As if the driver's half of pytest-cov were on the same machine: each worker leaves a
            # file. What was measured up to now is one, too: later there is another measurement.
            import socket
            config.workerinput.update(cov_master_host=socket.gethostname(), cov_master_topdir=self.topdir)
            if getattr(measured, "cov_controller", None) is not None:
                early = measured.cov_controller.cov
                early._warn_no_data = early._warn_unimported_source = False
                early.stop()
                early.save()
        if not self.settings["xdist"]:
            config.pluginmanager.register(fixtures, "execnet-fixtures")

    def folder_of(self, basetemp):
        """This worker's part of the folder that --basetemp names."""
        basetemp = os.path.abspath(str(basetemp))
        if not os.path.isdir(basetemp):
            try:
                os.makedirs(basetemp)
            except OSError:
                pass  # another worker has made it
        return os.path.join(basetemp, "popen-" + dict(self.settings["workerinput"])["workerid"])

    def pytest_configure(self, config):
        if not self.settings["xdist"]:
            config.addinivalue_line("markers", "xdist_group(name): tests that run in the same worker")
        rerunfailures = sys.modules.get("pytest_rerunfailures")
        if hasattr(rerunfailures, "HAS_PYTEST_HANDLECRASHITEM"):
            # Where pytest-xdist is installed, it looks for its server in the controlling process,
            # which has tests run again that have crashed.
            rerunfailures.HAS_PYTEST_HANDLECRASHITEM = False
    pytest_configure.tryfirst = True

    def pytest_sessionstart(self, session):
        self.session = session
        self.facts = describe(session.config, self)
        if self.channel is not None:
            self.tell("ready", dict(self.facts, header=header(session.config, self)))
        else:
            # As with pytest-xdist, no process that runs tests imports what is only for the header.
            self.header = meanwhile(lambda: header(session.config, self))
    pytest_sessionstart.tryfirst = True

    def silence(self, config):
        """Let pytest's own reporter write nothing. Plugins that look for it find it."""
        reporter = config.pluginmanager.getplugin("terminalreporter")
        if reporter is None:
            return
        config.pluginmanager.unregister(reporter)
        self.silent = Silent(reporter)
        reporter._tw = self.writer()[0]
        config.pluginmanager.register(self.silent, "terminalreporter")


class Silent(object):
    """Stands in the place of pytest's terminal reporter, and has its attributes and no hooks."""

    def __init__(self, reporter):
        self._reporter = reporter

    def __getattr__(self, name):
        if name.startswith("pytest_"):
            raise AttributeError(name)
        return getattr(self.__dict__["_reporter"], name)
