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

    def tests(self):
        items = self.session.items
        ids, paths, lines, groups = [], [], [], []
        places = {}
        for item in items:
            ids.append(text_of(item.nodeid))
            path, line = place_of(item, places)
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
    if not isinstance(item, pytest.Function) or any(
            getattr(kind, name) != getattr(pytest.Function, name) for name in ("location", "reportinfo")):
        return item.location[:2]
    key = id(item.function)
    if key not in known:
        known[key] = item.location[:2]
    return known[key]


def group_of(item):
    names = set()
    for mark in item.iter_markers("xdist_group"):
        names.add(text_of(mark.args[0] if mark.args else mark.kwargs.get("name", "default")))
    return u"_".join(sorted(names))
