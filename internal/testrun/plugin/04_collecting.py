# From the start of collecting to the list of tests.


class Collecting(object):
    """Leaves out what is not wanted, and tells what there is."""

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

    def ignore(self, path):
        """Whether none of the selected tests can come from a file or folder."""
        relative = os.path.relpath(str(path), str(self.root)).replace(os.sep, "/")
        if relative == "." or relative.startswith(".."):
            return None
        return left_out(relative, self.settings["only"], self.settings["not"]) or None

    def ignored(self, arg):
        """Whether none of the selected tests can come from an argument of pytest."""
        path = os.path.abspath(str(arg).split("::")[0])
        return os.path.exists(path) and self.ignore(path)

    def take_stock(self, session):
        """Find out all that there is to tell of the tests. A process that will be forked does so, since
        whoever looks at a test writes to its memory, of which each worker would then have a copy."""
        import hashlib
        self.usual_collections()
        self.items, self.parts = list(session.items), []
        self.known = known = {}
        ids, last = [], None
        for item in self.items:
            place = place_of(item, known) + (group_of(item, known),)
            if place != last:
                path, line, group = last = place
                self.parts.append((text_of(path).replace(os.sep, "/"),
                                   0 if line is None or line < 0 else line + 1, group, []))
            ids.append(text_of(item.nodeid))
            self.parts[-1][-1].append(ids[-1])
        option = session.config.option
        self.stock = {
            "digest": text_of(hashlib.md5(u"\n".join(ids).encode("utf-8")).hexdigest()),
            "count": len(ids), "deselected": self.deselected,
            "took": now() - self.began, "problems": session.testsfailed,
            "go on": bool(getattr(option, "continue_on_collection_errors", False)), "only": bool(option.collectonly)}

    def tell_collected(self, session):
        if self.stock is None:
            self.take_stock(session)
        self.say("collected", self.stock)
        if self.settings["whole"]:
            self.say("tests", self.parts)
        self.flush()


def left_out(path, only, no):
    """Whether lists of patterns for the elements of a path leave it out."""
    import re
    elements = re.sub(r"\s", "_", path).split("/")

    def matches(patterns):
        return all(re.search(p, e) for p, e in zip(patterns, elements))

    return (only is not None and not any(matches(one) for one in only)
            or any(len(one) <= len(elements) and matches(one) for one in no or ()))


def place_of(item, known):
    """The path and the line of a test. pytest takes long to find out, so that is done once for each
    function: it is the same for all parameters. known is a dict of what has been found."""
    import pytest
    kind = type(item)
    if kind not in known:
        known[kind] = issubclass(kind, pytest.Function) and all(
            getattr(kind, name) == getattr(pytest.Function, name) for name in ("location", "reportinfo"))
    if not known[kind]:
        return item.location[:2]
    key = id(item.function)
    if key not in known:
        known[key] = item.location[:2]
    return known[key]


def locate(item, known):
    """Put the location of a test where pytest keeps it, and would put it at the test's start."""
    import pytest
    if known.get(type(item)) and type(vars(pytest.Item).get("location")).__name__ == "cached_property":
        vars(item).setdefault("location", place_of(item, known) + (item.getmodpath(),))


def group_of(item, known):
    """The names of groups that marks put a test into. What surrounds a test is looked at once."""
    key = id(item.parent)
    if key not in known:
        known[key] = groups_in(item.parent.iter_markers("xdist_group"))
    own = groups_in(mark for mark in item.own_markers if mark.name == "xdist_group")
    return u"_".join(sorted(known[key] | own)) if own or known[key] else u""


def groups_in(marks):
    return set(text_of(mark.args[0] if mark.args else mark.kwargs.get("name", "default")) for mark in marks)
