"""The far half of a run of tests: starts pytest with itself as a plugin, and obeys the driver.

It is executed in a worker, in the main thread, for Python 2.7 and 3.6 and newer, pytest 4.6 and
newer. The channel carries first one dict from the driver, the settings (see Settings in worker.go).
After that each item is a list of messages to the driver, or one message from it. A message is a
tuple that begins with its name.

To the driver:
  ready, facts                   pytest is configured; facts is a dict (see describe)
  problem, id, outcome, text, path, line, message    a part of the suite was not collected
  collected, facts               facts is a dict (see Plugin.tell_collected)
  tests, ids, paths, lines, groups    four lists of one length, if the driver wants to have them
  start, index, time             the test with this index in the collection begins
  done, index, outcome, reason, time, seconds, reruns, properties, phases
  warning, id, category, message, path, line, source    source is that line
  returned, indexes              the answer to "return": these will not be run here
  stacks, text                   the answer to "stacks"; also where Ctrl-C has hit a test
  notice, text                   why workers are not forked
  internal, text                 pytest itself, or a plugin, has failed
  finished, exit code, reason, measured, folder    the session has ended; measured are the options
                                 of pytest-cov, if it has measured, which has left a file in folder
  failed, exit code, text        pytest could not be started
From the driver:
  tell                           send "tests"
  run, indexes                   run these, behind those that wait
  last                           nothing follows at present: the last one need not wait for the next
  return, indexes                do not run these, as far as they have not begun
  stacks                         tell what all threads are doing
  stop                           end the session behind the test that is running

A test begins only when it is known which one follows it, because that decides which fixtures end.
Before a test begins everything is sent that there is to say up to then. So if a test ends this
process, the driver knows which one it was, and has what happened before.
"""
import os
import sys
import time
from collections import deque

PY2 = sys.version_info[0] == 2
if not PY2:
    unicode = str
# A test may replace them.
now, stamp, sleep = getattr(time, "perf_counter", time.time), time.time, time.sleep
MOST_TEXT = 1 << 20  # characters of one text


def text_of(x):
    """x as text that can be sent. If it is very long, it loses its middle."""
    if not isinstance(x, unicode):
        if isinstance(x, bytes):
            x = x.decode("utf-8", "replace")
        else:
            try:
                x = unicode(x)
            except Exception:
                x = u"<%s, which cannot be shown>" % type(x).__name__
    if len(x) > MOST_TEXT:
        half = MOST_TEXT // 2
        x = u"%s\n[... %d characters are left out here ...]\n%s" % (
            x[:half], len(x) - 2 * half, x[-half:])
    if PY2:
        if any(u"\ud800" <= c <= u"\udfff" for c in x):
            x = x.encode("ascii", "backslashreplace").decode("ascii")
    else:
        try:
            x.encode("utf-8")
        except UnicodeError:
            x = x.encode("utf-8", "backslashreplace").decode("utf-8")
    return unicode(x)


def sendable(x):
    """x with texts in place of what cannot be sent."""
    if isinstance(x, dict):
        return dict((sendable(key), sendable(value)) for key, value in x.items())
    if isinstance(x, (list, tuple)):
        return [sendable(item) for item in x]
    return x if x is None or isinstance(x, (bool, int, float)) else text_of(x)


class Queue(object):
    """The indexes that wait to be run."""

    def __init__(self, execmodel):
        self.lock, self.changed = execmodel.Lock(), execmodel.Event()
        self.waiting, self.complete, self.stopped = deque(), False, False

    def add(self, indexes):
        with self.lock:
            self.waiting.extend(indexes)
            self.complete = False
            self.changed.set()

    def last(self):
        with self.lock:
            self.complete = True
            self.changed.set()

    def stop(self):
        with self.lock:
            self.waiting.clear()
            self.stopped = True
            self.changed.set()

    def remove(self, indexes):
        with self.lock:
            wanted = set(indexes)
            removed = [i for i in self.waiting if i in wanted]
            self.waiting = deque(i for i in self.waiting if i not in wanted)
        return removed

    def next(self):
        """The next two indexes. None in place of the second one: none follows. None: not yet."""
        with self.lock:
            if len(self.waiting) > 1 or self.waiting and self.complete:
                first = self.waiting.popleft()
                return first, self.waiting[0] if self.waiting else None
            self.changed.clear()


class Plugin(object):
    def __init__(self, settings):
        self.settings = settings
        self.channel = self.queue = None
        self.pid = os.getpid()
        self.out = []
        self.frozen = self.refusal = self.failed = self.facts = self.basetemp = None
        self.forked = False
        self.session = self.silent = self.current = None
        self.deselected, self.began = 0, 0.0
        self.phases, self.reruns, self.sections = [], 0, set()
        self.stderr = None  # where crashes are reported
        self.hit = False  # whether a KeyboardInterrupt has come out of a test
        self.watch = None  # has the stacks printed if it is not called again in time

    def attach(self, channel, settings):
        """Serve a driver, in the process that runs tests."""
        self.channel, self.settings, self.pid = channel, settings, os.getpid()
        self.queue = Queue(channel.gateway.execmodel)
        enable_faulthandler(self, settings["timeout"])

    def end(self, code, text):
        if os.getpid() != self.pid:
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

    # -- messages

    def say(self, *message):
        self.out.append(message)

    def flush(self):
        if self.out and self.channel is not None and os.getpid() == self.pid:
            out, self.out = self.out, []
            self.channel.send(out)

    def tell(self, *message):
        self.say(*message)
        self.flush()

    def command(self, item):
        """Take a message, in the thread that reads."""
        if item is None:
            return self.queue.stop()
        name = item[0]
        if name == "run":
            self.queue.add(item[1])
        elif name == "last":
            self.queue.last()
        elif name == "return":
            self.reply("returned", self.queue.remove(item[1]))
        elif name == "stop":
            self.queue.stop()
        elif name == "stacks":
            sleep(0.05)  # Ctrl-C at a terminal reaches this process, too, and then tells the place
            if not self.hit:
                self.reply("stacks", stacks())
        elif name == "tell":
            self.reply(*self.tests())

    def reply(self, *message):
        try:
            self.channel.send([message])
        except (IOError, OSError):
            pass  # the session has just ended

    # -- from the start to the collection

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
    pytest_configure.tryfirst = True

    def pytest_sessionstart(self, session):
        self.session = session
        self.facts = describe(session.config, self)
        if self.channel is not None:
            self.tell("ready", self.facts)
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

    def writer(self):
        """What pytest writes reports with, and the file that takes them."""
        import io
        file = io.StringIO() if not PY2 else __import__("StringIO").StringIO()
        try:
            from _pytest._io import TerminalWriter
        except ImportError:
            from py.io import TerminalWriter
        writer = TerminalWriter(file)
        writer.hasmarkup, writer.fullwidth = bool(self.settings["color"]), self.settings["width"] or 80
        return writer, file

    def pytest_collection(self, session):
        self.began = now()
        config = session.config  # pytest does not ask for what its arguments name
        config.args = [arg for arg in config.args if not self.ignored(arg)]

    def pytest_collectreport(self, report):
        if report.outcome == "passed":
            return
        text, path, line, message = self.failure(report)
        self.say("problem", text_of(report.nodeid), text_of(report.outcome), text, path, line, message)

    def pytest_deselected(self, items):
        self.deselected += len(items)

    def pytest_collection_modifyitems(self, items):
        selected = self.settings["tests"]
        if selected is None:
            return
        wanted = set(selected)
        items[:] = [item for item in items if belongs(text_of(item.nodeid), wanted)]

    def ignore(self, path):
        """Whether none of the selected tests can come from a file or folder."""
        relative = os.path.relpath(str(path), str(self.root)).replace(os.sep, "/")
        if relative.startswith(".."):
            return None
        if relative != "." and left_out(relative, self.settings["only"], self.settings["not"]):
            return True
        if self.settings["tests"] is None:
            return None
        for test in self.settings["tests"]:
            file = test.split("::")[0]
            if relative in (".", file) or file.startswith(relative + "/") or relative.startswith(file + "/"):
                return None
        return True

    def ignored(self, arg):
        """Whether none of the selected tests can come from an argument of pytest."""
        path = os.path.abspath(str(arg).split("::")[0])
        return os.path.exists(path) and self.ignore(path)

    def failure(self, report):
        """Text, path, line and message of a report that is not of a success."""
        text, path, line, message = u"", u"", 0, u""
        long = report.longrepr
        if long is None:
            return text, path, line, message
        if isinstance(long, tuple) and len(long) == 3:
            path, line, message = text_of(long[0]), long[1] or 0, text_of(long[2])
            return message, self.relative(path), line, first_line(message)
        try:
            writer, file = self.writer()
            report.toterminal(writer)
            text = text_of(file.getvalue())
        except Exception:
            text = text_of(long)
        crash = getattr(long, "reprcrash", None)
        if crash is not None:
            path, line, message = text_of(crash.path), crash.lineno or 0, text_of(crash.message).strip()
        else:
            lines = [l for l in text.splitlines() if l.strip()]
            message = uncolored(lines[-1].strip()) if lines else u""
            if message.startswith("E  "):
                message = message[1:].strip()
            path, line = place_in(lines)
        return text, self.relative(path), line, message

    def relative(self, path):
        path = text_of(path)
        if path.startswith(self.root + os.sep):
            path = path[len(self.root) + 1:]
        return path.replace(os.sep, "/")

    def tests(self):
        items = self.session.items
        ids, paths, lines, groups = [], [], [], []
        for item in items:
            ids.append(text_of(item.nodeid))
            path, line = item.location[:2]
            paths.append(text_of(path).replace(os.sep, "/"))
            lines.append(0 if line is None or line < 0 else line + 1)
            groups.append(group_of(item))
        return "tests", ids, paths, lines, groups

    def tell_collected(self, session):
        import hashlib
        all_ids = u"\n".join([text_of(item.nodeid) for item in session.items])
        option = session.config.option
        self.say("collected", {
            "digest": text_of(hashlib.md5(all_ids.encode("utf-8")).hexdigest()),
            "count": len(session.items), "deselected": self.deselected,
            "took": now() - self.began, "problems": session.testsfailed,
            "go on": bool(getattr(option, "continue_on_collection_errors", False)), "only": bool(option.collectonly)})
        if self.settings["whole"]:
            self.say(*self.tests())
        self.flush()

    # -- tests

    def pytest_runtestloop(self, session):
        self.tell_collected(session)
        self.channel.setcallback(self.command, None)
        queue = self.queue
        while not queue.stopped:
            pair = queue.next()
            if pair is None:
                self.flush()
                queue.changed.wait()
                continue
            self.run(session, *pair)
            if session.shouldfail:
                raise session.Failed(session.shouldfail)
            if session.shouldstop:
                raise session.Interrupted(session.shouldstop)
        return True
    pytest_runtestloop.tryfirst = True

    def run(self, session, index, following):
        item = session.items[index]
        nextitem = None if following is None else session.items[following]
        self.phases, self.reruns, self.sections = [], 0, set()
        at, begin = stamp(), now()
        self.tell("start", index, at)
        if self.watch:
            self.watch()
        try:
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=nextitem)
        except KeyboardInterrupt:
            # It may be that of a terminal, which the driver has got, too, and asks for stacks.
            import traceback
            self.hit = True
            self.tell("stacks", u"".join(map(text_of, traceback.format_tb(sys.exc_info()[2]))))
            raise
        finally:
            if os.getpid() != self.pid:
                os._exit(1)  # a child that a test has forked and that has not ended itself
        outcome, reason = self.outcome()
        self.say("done", index, outcome, reason, at, now() - begin, self.reruns,
                 [(text_of(name), text_of(value)) for name, value in getattr(item, "user_properties", ())],
                 self.phases)

    def pytest_runtest_logreport(self, report):
        outcome, when = text_of(report.outcome), text_of(report.when)
        if when == "setup":
            self.phases, self.sections = [], set()  # those of a run before this one
        # Without pytest-xdist, pytest-rerunfailures tells only of the last run, which it numbers.
        number = getattr(report, "rerun", None)
        if isinstance(number, int):
            self.reruns = number
        elif outcome == "rerun":
            self.reruns += 1
        if outcome == "rerun":
            self.phases, self.sections = [], set()
            return
        text, path, line, message = self.failure(report) if report.longrepr else (u"", u"", 0, u"")
        xfail = getattr(report, "wasxfail", None)
        if xfail is not None:
            message = text_of(xfail)
            if message.startswith("reason: "):
                message = message[len("reason: "):]
            if outcome == "skipped":
                outcome = u"xfailed"
            elif outcome == "passed":
                outcome = u"xpassed"
        elif outcome == "failed" and when != "call":
            outcome = u"error"
        elif outcome == "skipped":
            if message.startswith("Skipped: "):
                message = message[len("Skipped: "):]
        sections = []
        for title, content in report.sections:
            if (title, content) not in self.sections:
                self.sections.add((title, content))
                sections.append((text_of(title), text_of(content)))
        context = getattr(report, "context", None)  # of a subtest
        if context is not None and outcome != "passed":
            message = u"%s: %s" % (text_of(subtest(context)), message)
        self.phases.append((when, outcome, report.duration, text, path, line, message, sections))

    def outcome(self):
        """The outcome of all phases, and the reason of a skip or of an expected failure."""
        for outcome in "failed", "error", "skipped", "xfailed", "xpassed":
            for phase in self.phases:
                if phase[1] == outcome:
                    return text_of(outcome), u"" if outcome in ("failed", "error") else phase[6]
        return u"passed", u""

    # -- everything else

    def warned(self, nodeid, warning):
        import linecache
        category = warning.category or type(warning.message)
        source = warning.line
        if source is None:
            source = linecache.getline(warning.filename, warning.lineno or 0)
        self.say("warning", text_of(nodeid), text_of(category.__name__), text_of(warning.message),
                 self.relative(warning.filename), warning.lineno or 0, text_of(source).strip())

    def pytest_internalerror(self, excrepr):
        self.say("internal", text_of(excrepr))

    def pytest_keyboard_interrupt(self, excinfo):
        self.interrupted = text_of(excinfo.value)

    interrupted = u""

    def pytest_sessionfinish(self, session, exitstatus):
        self.exitstatus = int(exitstatus)
    exitstatus = None


class Silent(object):
    """Stands in the place of pytest's terminal reporter, and has its attributes and no hooks."""

    def __init__(self, reporter):
        self._reporter = reporter

    def __getattr__(self, name):
        if name.startswith("pytest_"):
            raise AttributeError(name)
        return getattr(self.__dict__["_reporter"], name)


def belongs(nodeid, wanted):
    """Whether a node id, or a beginning of it that ends before "::" or "[", is wanted."""
    if nodeid in wanted:
        return True
    base, bracket, _ = nodeid.partition("[")
    while base:
        if base in wanted:
            return True
        base = base.rpartition("::")[0]
    return False


def left_out(path, only, no):
    """Whether lists of patterns for the elements of a path leave it out."""
    import re
    elements = re.sub(r"\s", "_", path).split("/")

    def matches(patterns):
        return all(re.search(p, e) for p, e in zip(patterns, elements))

    return (only is not None and not any(matches(one) for one in only)
            or any(len(one) <= len(elements) and matches(one) for one in no or ()))


def place_in(lines):
    """The path and the line that a traceback in pytest's style, or a SyntaxError, names last."""
    import re
    for text in reversed(lines):
        text = uncolored(text)
        found = (re.match(u'E? +File "(.+)", line ([0-9]+)', text)
                 or re.match(u"([^E\\s].*?):([0-9]+): in ", text))
        if found:
            return os.path.abspath(found.group(1)), int(found.group(2))
    return u"", 0


def first_line(text):
    return text.strip().split("\n")[0]


def uncolored(text):
    import re
    return re.sub(u"\x1b\\[[0-9;]*m", u"", text)


def subtest(context):
    parts = [text_of(context.msg)] if getattr(context, "msg", None) is not None else []
    parts += ["%s=%r" % pair for pair in sorted(dict(getattr(context, "kwargs", None) or {}).items())]
    return u"subtest " + u" ".join(map(text_of, parts))


def group_of(item):
    names = set()
    for mark in item.iter_markers("xdist_group"):
        names.add(text_of(mark.args[0] if mark.args else mark.kwargs.get("name", "default")))
    return u"_".join(sorted(names))


def stacks():
    """What all threads are doing, this one left out."""
    import threading
    import traceback
    names = dict((thread.ident, thread.name) for thread in threading.enumerate())
    out = []
    for ident, frame in sorted(sys._current_frames().items()):
        if ident == threading.current_thread().ident:
            continue
        lines = traceback.format_stack(frame)
        if not any("pytest" in line or "<remote exec>" not in line for line in lines):
            continue
        out.append(u"Thread %s:\n%s" % (text_of(names.get(ident, ident)), u"".join(map(text_of, lines))))
    return u"\n".join(out)


def describe(config, plugin):
    import pytest
    header = []
    reporter = plugin.silent and plugin.silent._reporter
    start = {}
    try:
        if int(pytest.__version__.split(".")[0]) >= 7:
            start["start_path"] = config.invocation_params.dir
        else:
            import py
            start["startdir"] = py.path.local()
        parts = [config.hook.pytest_report_header(config=config, **start)]
        if reporter is not None:
            parts.append([reporter.pytest_report_header(config)])
        for part in reversed([p for some in parts for p in some]):
            header += [part] if isinstance(part, (str, unicode)) else list(part or ())
    except Exception:
        header = []  # of a plugin that says nothing without a terminal
    header = [line for lines in header for line in text_of(lines).splitlines()]
    # Old releases put it all into one line.
    header = [line.partition(", ")[2] if line.startswith("rootdir: ") else line for line in header]
    return {"python": text_of(sys.version.split()[0]), "platform": text_of(sys.platform),
            "path": text_of(sys.executable or ""), "pytest": text_of(pytest.__version__),
            "root": plugin.root, "forked": False, "options": shown(config), "reports": reports(config),
            "header": [line for line in header if line]}


def reports(config):
    """The options in use with which plugins write a report of all tests. There are only parts here."""
    return [text_of(name) for dest, name in (
        ("htmlpath", "--html"), ("json_report", "--json-report"), ("report_log", "--report-log"),
        ("csv_path", "--csv"), ("excelpath", "--excelreport"), ("md_report", "--md-report"),
        ("nunit_xmlpath", "--nunit-xml"), ("tap_stream", "--tap-stream"), ("tap_combined", "--tap-combined"),
    ) if getattr(config.option, dest, None)]


def shown(config):
    """The options and ini settings that say how a run is shown, as texts."""
    values = {}
    for name in ("verbose", "reportchars", "tbstyle", "showcapture", "capture", "durations", "durations_min",
                 "no_header", "no_summary", "disable_warnings", "maxfail", "collectonly", "xmlpath", "junitprefix"):
        values[name] = getattr(config.option, name, None)
    for name in ("console_output_style", "junit_family", "junit_suite_name", "junit_logging",
                 "junit_log_passing_tests", "junit_duration_report"):
        try:
            values[name] = config.getini(name)
        except (KeyError, ValueError):
            pass  # this release does not have it
    cache = getattr(config, "cache", None)
    values["cache_dir"] = getattr(cache, "_cachedir", None)
    return dict((text_of(name), u"1" if value is True else text_of(value))
                for name, value in values.items() if value is not None and value is not False)


class XdistHooks(object):
    """The hooks of pytest-xdist, which nobody calls: a conftest.py made for it may have them."""


def _make_hooks():
    for name, arguments in (
            ("pytest_xdist_setupnodes", "config, specs"), ("pytest_xdist_newgateway", "gateway"),
            ("pytest_xdist_rsyncstart", "source, gateways"),
            ("pytest_xdist_rsyncfinish", "source, gateways"),
            ("pytest_xdist_getremotemodule", ""), ("pytest_configure_node", "node"),
            ("pytest_testnodeready", "node"), ("pytest_testnodedown", "node, error"),
            ("pytest_xdist_node_collection_finished", "node, ids"),
            ("pytest_xdist_make_scheduler", "config, log"),
            ("pytest_xdist_auto_num_workers", "config"),
            ("pytest_handlecrashitem", "crashitem, report, sched")):
        scope = {}
        exec("def %s(%s): pass" % (name, arguments), scope)
        setattr(XdistHooks, name, staticmethod(scope[name]))


_make_hooks()


def find_xdist(args):
    """Whether pytest will load pytest-xdist, and whether its part for --looponfail."""
    if os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD"):
        return False, False
    try:
        if PY2:
            __import__("imp").find_module("xdist")
        else:
            import importlib.util
            if importlib.util.find_spec("xdist") is None:
                return False, False
    except ImportError:
        return False, False
    return [not any(arg in ("no:" + name, "-pno:" + name) for arg in args) for name in ("xdist", "xdist.looponfail")]


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
    for name in "pytest_configure", "pytest_sessionstart", "pytest_runtestloop":
        first = pytest.hookimpl(tryfirst=True)
        setattr(Plugin, name, first(vars(Plugin)[name]))


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


def read_settings():
    """The settings of the process that will be forked, which finds this file by PYTHONPATH."""
    import json
    folder = os.path.dirname(os.path.abspath(__file__))
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
    plugin.stderr = stderr = os.fdopen(os.dup(2), "wb", 0)
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
    except SystemExit:
        return 4, u"pytest has ended: %s" % text_of(sys.exc_info()[1])
    except Exception:
        return 4, with_cause(sys.exc_info())
    try:
        plugin.prepare(config)
        return int(go(config) or 0), u""
    except usage:
        return 4, u"\n".join(text_of(arg) for arg in sys.exc_info()[1].args)
    except Exception:
        return 3, with_cause(sys.exc_info())
    finally:
        if plugin.frozen is None:
            config._ensure_unconfigure()


def with_cause(info):
    """The text of an exception, or of the one that pytest has put into it."""
    import traceback
    cause = getattr(info[1], "cause", None) or getattr(info[1], "__cause__", None)
    if isinstance(cause, BaseException):
        info = type(cause), cause, cause.__traceback__
    elif isinstance(getattr(info[1], "excinfo", None), tuple):
        info = info[1].excinfo
    return u"".join(map(text_of, traceback.format_exception(*info)))


# ---- one collection for several workers
#
# A process that will be forked imports this file as a module. That configures pytest and collects.
# In each child go_on(channel) takes it from there.

class Refused(Exception):
    """This suite, with its plugins, is not to be forked."""


class Asked(dict):
    """The workerinput of a process that is no worker yet. It notes who wants to know the worker."""

    def __init__(self, values):
        dict.__init__(self, values)
        self.asked = None

    def note(self, key):
        if key == "workerid" and self.asked is None:
            frame = sys._getframe(2)
            self.asked = "%s asks for the worker's id before there are workers" % frame.f_code.co_filename

    def __getitem__(self, key):
        self.note(key)
        return dict.__getitem__(self, key)

    def get(self, key, default=None):
        self.note(key)
        return dict.get(self, key, default)


class Frozen(object):
    """A session that has collected: all that a child needs to go on with it."""

    def __init__(self, plugin, config, session):
        self.plugin, self.config, self.session = plugin, config, session
        # Where starting or collecting has failed ("configure", "start" or "collect"), and how.
        self.error = None
        self.capture = False  # whether pytest captures what is printed


def collect(settings):
    """Start pytest and collect, in the process that will be forked. It returns the plugin."""
    sockets = open_sockets()
    settings["workerinput"] = Asked(settings["workerinput"])
    plugin = make(settings)
    if plugin is None:
        raise Refused("pytest is missing")
    environment = watch_environment()
    import _pytest.main as main
    usual = main.wrap_session

    def wrap_session(config, doit):
        if doit is not main._main:
            raise Refused("pytest is to do something else than to run tests")
        freeze(plugin, config, main)
        return 0
    main.wrap_session = wrap_session
    try:
        plugin.failed = start(plugin, lambda config: config.hook.pytest_cmdline_main(config=config))
    finally:
        main.wrap_session = usual
        asked = environment()
    if plugin.refusal:
        raise Refused(plugin.refusal)
    if plugin.frozen is not None:
        if open_sockets() > sockets:
            raise Refused("a socket is open that workers would share")
        if settings["workerinput"].asked or asked:
            raise Refused(settings["workerinput"].asked or asked)
        check_threads()
    return plugin


def watch_environment():
    """Note who asks the environment for the worker's id. It returns a function that ends that."""
    usual = os.environ.__class__
    asked, inner, before = [], ("os", "collections.abc", "_collections_abc"), deque(maxlen=3)

    class Environ(usual):
        def __getitem__(self, key):
            if key == "PYTEST_XDIST_WORKER" and not asked and not self.are_read(key):
                frame = sys._getframe(1)
                while frame.f_back is not None and frame.f_globals.get("__name__") in inner:
                    frame = frame.f_back
                asked.append("%s asks for the worker's id before there are workers" % frame.f_code.co_filename)
            before.append(key)
            return usual.__getitem__(self, key)

        def are_read(self, key):
            """Whether all variables are being read, one after the other, as for a copy."""
            names = list(self)
            at = names.index(key) if key in names else 0
            return at > 0 and list(before) == names[max(at - 3, 0):at]
    os.environ.__class__ = Environ

    def end():
        os.environ.__class__ = usual
        return asked and asked[0]
    return end


def open_sockets():
    import stat
    n = 0
    for fd in range(256):
        try:
            n += stat.S_ISSOCK(os.fstat(fd).st_mode)
        except OSError:
            pass
    return n


def check_threads():
    import threading
    names = [thread.name for thread in threading.enumerate() if thread is not threading.current_thread()]
    if names:
        raise Refused("a thread runs that workers would not have: %s" % ", ".join(names))


def freeze(plugin, config, main):
    session = getattr(main.Session, "from_config", main.Session)(config)
    session.exitstatus = 0
    plugin.frozen = frozen = Frozen(plugin, config, session)
    stage = "configure"
    try:
        config._do_configure()
        for name, why in (("_cov", "pytest-cov measures each process"),):
            if config.pluginmanager.hasplugin(name):
                raise Refused(why)
        check_threads()
        stage = "start"
        config.hook.pytest_sessionstart(session=session)
        stage = "collect"
        config.hook.pytest_collection(session=session)
    except Refused:
        plugin.refusal = str(sys.exc_info()[1])
    except BaseException:
        frozen.error = stage, sys.exc_info()[1]
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is not None and getattr(capture, "_global_capturing", None) is not None:
        frozen.capture = True
        capture.stop_global_capturing()


def go_on(channel):
    """Run the session that was collected, in a worker that has been forked, or was to be."""
    plugin, settings = collected, channel.receive()
    set_environment(plugin.settings)  # the worker's setup may have undone it
    set_environment(settings)
    given = plugin.settings["workerinput"]
    if isinstance(given, Asked):
        given.update(settings["workerinput"])
    forked = os.getpid() != plugin.pid
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
        plugin.tell("ready", dict(plugin.facts, forked=forked))
    code, text = 3, u""
    try:
        code = int(main.wrap_session(config, run))
    except Exception as e:
        text = text_of(e)
        if type(e).__name__ == "UsageError":
            code = 4
    plugin.end(code, text)


def own_folder(config, plugin):
    """Let a worker have a folder for temporary files of its own, if the user has named one."""
    factory = getattr(config, "_tmp_path_factory", None)
    given = getattr(factory, "_given_basetemp", None)
    if given is not None and plugin.basetemp:
        factory._given_basetemp = type(given)(plugin.folder_of(plugin.basetemp))
        factory._basetemp = None


if __name__ == "__channelexec__":
    main(channel)
elif __name__ == "_execnet_testrun":
    try:
        collected = collect(read_settings())
    except Refused:
        sys.stderr = open(os.devnull, "w")  # nobody needs the traceback
        raise
