# What is told of a failure: text, place, and one line.


class Failures(object):
    """Makes the texts of reports."""

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
