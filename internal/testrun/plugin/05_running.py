# Tests: their runs, their reports, and the end of them.


PHASES = ["setup", "call", "teardown"]
pack_next = struct.Struct("!idddddid").pack


class Running(object):
    """Runs the tests that the driver gives, and tells how they end."""

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
        item = self.items[index]
        locate(item, self.known)
        nextitem = None if following is None else self.items[following]
        self.phases, self.reruns, self.sections = [], 0, set()
        at, begin = stamp(), now()
        self.tell_start(index, at)
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
            if getpid() != self.pid:
                os._exit(1)  # a child that a test has forked and that has not ended itself
        properties = getattr(item, "user_properties", ())
        if self.plain and not self.reruns and not properties and [phase[0] for phase in self.phases] == PHASES:
            return self.say("passed", index, at, now() - begin, *[phase[2] for phase in self.phases])
        outcome, reason = self.outcome()
        self.say("done", index, outcome, reason, at, now() - begin, self.reruns,
                 [(text_of(name), text_of(value)) for name, value in properties],
                 self.phases)

    def tell_start(self, index, at):
        """Tell that a test begins. After most tests there is nothing else to tell but that they have
        passed, so that has a form which is made and read quickly."""
        if len(self.out) == 1 and self.out[0][0] == "passed" and not PY2:
            self.channel.send(pack_next(*(self.out.pop()[1:] + (index, at))))
        else:
            self.tell("start", index, at)

    def pytest_runtest_logreport(self, report):
        outcome, when = text_of(report.outcome), text_of(report.when)
        if when not in PHASES:
            when = u"call"  # of a plugin that runs tests in a way of its own
        duration = float(report.duration)
        if when == "setup":
            # Those of a run before this one.
            self.phases, self.sections, self.plain = [], set(), True
        # Without pytest-xdist, pytest-rerunfailures tells only of the last run, which it numbers.
        number = getattr(report, "rerun", None)
        if isinstance(number, int):
            self.reruns = number
        elif outcome == "rerun":
            self.reruns += 1
        if outcome == "rerun":
            self.phases, self.sections = [], set()
            return
        xfail = getattr(report, "wasxfail", None)
        if outcome == "passed" and xfail is None and not report.longrepr and not report.sections:
            return self.phases.append((when, outcome, duration, u"", u"", 0, u"", []))
        self.plain = False
        text, path, line, message = self.failure(report) if report.longrepr else (u"", u"", 0, u"")
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
        self.phases.append((when, outcome, duration, text, path, line, message, sections))

    def outcome(self):
        """The outcome of all phases, and the reason of a skip or of an expected failure."""
        for outcome in "failed", "error", "skipped", "xfailed", "xpassed":
            for phase in self.phases:
                if phase[1] == outcome:
                    return text_of(outcome), u"" if outcome in ("failed", "error") else phase[6]
        return u"passed", u""

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
        return True  # or pytest prints it to stderr, too

    def pytest_keyboard_interrupt(self, excinfo):
        self.interrupted = text_of(excinfo.value) or text_of(type(excinfo.value).__name__)

    interrupted = u""

    def pytest_sessionfinish(self, session, exitstatus):
        self.exitstatus = int(exitstatus)
    exitstatus = None


def subtest(context):
    parts = [text_of(context.msg)] if getattr(context, "msg", None) is not None else []
    parts += ["%s=%r" % pair for pair in sorted(dict(getattr(context, "kwargs", None) or {}).items())]
    return u"subtest " + u" ".join(map(text_of, parts))


def stacks(channel):
    """What all threads are doing, this one left out, and what runs tests, and threads of the worker."""
    import threading
    import traceback
    names = dict((thread.ident, thread.name) for thread in threading.enumerate())
    out, own = [], [part.__code__.co_filename for part in (stacks, type(channel).send)]
    for ident, frame in sorted(sys._current_frames().items()):
        if ident == threading.current_thread().ident:
            continue
        frames = traceback.extract_stack(frame)
        ours = [i for i, one in enumerate(frames) if one[0] in own and one[0] != "<string>"]
        lines = traceback.format_list(frames[ours[-1] + 1 if ours else 0:])
        if not lines:
            continue
        out.append(u"Thread %s:\n%s" % (text_of(names.get(ident, ident)), u"".join(map(text_of, lines))))
    return u"\n".join(out)
