"""Runs the programs of corpus/: each file there is one program, with the part that drives it.

A file is corpus/TOPIC/NAME.py. Its docstring says what the program does. It has

- the remote part: a function or a string named remote. Without one the file itself is sent, as a
  module, and its part behind `if __name__ == "__channelexec__"` is what runs there;
- the driver's part: a function drive(at), where at is a Session. Without one the remote part is
  executed without arguments, and everything that comes over its channel is noted;
- OWN_GATEWAY = True if the program changes the state of the worker's process or looks at it. Then
  its worker is a process of its own; the other programs share one;
- KEYS, further keys of the spec, each with // in front. They mean a process of its own, too.

What the driver's part notes, and the files that the program leaves in its folder, are the result of
a run. Two runs are the same if their results are equal.
"""
import glob
import importlib.util
import inspect
import os
import re
import stat
import sys
import tempfile
import textwrap

import execnet

from pythonworker import WAIT

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
# The interpreter of the reference, and the one that Go workers start.
PYTHON = os.environ.get("EXECNET_PYTHON") or sys.executable
REFERENCE = "popen" if PYTHON == sys.executable else "popen//python=" + PYTHON


class Program:
    """One file of the corpus."""

    def __init__(self, path):
        self.name = os.path.relpath(path, CORPUS)[:-len(".py")].replace(os.sep, "/")
        spec = importlib.util.spec_from_file_location("corpus_" + re.sub(r"\W", "_", self.name), path)
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.remote = getattr(self.module, "remote", self.module)
        self.keys = getattr(self.module, "KEYS", "")
        self.own_gateway = bool(self.keys) or getattr(self.module, "OWN_GATEWAY", False)

    def drive(self, session):
        if hasattr(self.module, "drive"):
            self.module.drive(session)
        else:
            session.follow(session.run(self.remote))


def programs():
    """Every program of the corpus, by name."""
    return [Program(path) for path in sorted(glob.glob(os.path.join(CORPUS, "*", "*.py")))]


class Session:
    """What a driver's part has: a gateway, a folder of the program's own, and where it notes things.

    folder is empty when the program begins; the worker is on this machine and sees it, too. module is
    the program's file.
    """

    def __init__(self, workers, group, gateway, module, folder):
        self.group, self.gateway, self.module, self.folder = group, gateway, module, folder
        self.noted = []
        self._workers = workers

    def run(self, remote, **kwargs):
        """Executes source, a function or a module, and returns the channel.

        execnet refuses a function with functions or comprehensions in it, whose names it takes for
        globals. Such a function travels as its source, followed by a call.
        """
        code = getattr(remote, "__code__", None)
        if code and any(isinstance(constant, type(code)) for constant in code.co_consts):
            arguments = "".join(", %s=%r" % pair for pair in kwargs.items())
            remote = "%s\n%s(channel%s)" % (textwrap.dedent(inspect.getsource(remote)), code.co_name, arguments)
            kwargs = {}
        return self.gateway.remote_exec(remote, **kwargs)

    def note(self, *values):
        """Notes values for the comparison."""
        self.noted.extend(self._shown(value) for value in values)

    def receive(self, channel):
        """Receives an item, notes it and returns it."""
        item = channel.receive(WAIT)
        self.note(item)
        return item

    def end(self, channel):
        """Waits until the channel is closed and notes how."""
        try:
            channel.waitclose(WAIT)
            self.noted.append("closed")
        except channel.RemoteError as error:
            self.noted.append(self._hidden(plain(error.formatted)))

    def follow(self, channel):
        """Notes and returns all items of a channel until it is closed, and notes how it was."""
        items = []
        try:
            while True:
                items.append(self.receive(channel))
        except EOFError:
            self.noted.append("closed")
        except channel.RemoteError as error:
            self.noted.append(self._hidden(plain(error.formatted)))
        return items

    def write(self, name, content):
        """Writes a file below the folder, text or bytes, and returns its path."""
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode())
        return path

    def makegateway(self, name):
        """Makes another gateway to a worker of the same kind, with this id."""
        return self._workers.connect(self.group, name)

    def printed(self):
        """Ends the gateway and notes what the worker has written to its stderr, and stdout."""
        self.gateway.exit()
        self.gateway._io.wait()
        with open(self.gateway.printed_to, "rb") as f:
            self.note(f.read().decode())

    def result(self):
        """What was noted, and what the folder contains."""
        return self.noted, {os.path.relpath(path, self.folder): self._described(path)
                            for path in sorted(walked(self.folder))}

    def _described(self, path):
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            return "link to " + self._hidden(os.readlink(path))
        if not stat.S_ISREG(mode):
            return stat.filemode(mode)
        with open(path, "rb") as f:
            return stat.filemode(mode), self._shown(f.read())

    def _shown(self, value):
        """The value as text, in which equal values of different types differ."""
        if isinstance(value, (set, frozenset)):
            return type(value).__name__ + "(%s)" % ", ".join(sorted(map(self._shown, value)))
        if isinstance(value, dict):
            return "{%s}" % ", ".join("%s: %s" % (self._shown(k), self._shown(v)) for k, v in value.items())
        if isinstance(value, list):
            return "[%s]" % ", ".join(map(self._shown, value))
        if isinstance(value, tuple):
            return "(%s,)" % ", ".join(map(self._shown, value))
        return self._hidden(repr(value))

    def _hidden(self, text):
        """The text without what differs from run to run: the folder's name."""
        return text.replace(self.folder, "FOLDER")


def walked(folder):
    """The paths of all that is below a folder, but for the bytecode of modules."""
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in folders + files:
            yield os.path.join(at, name)


FRAME = re.compile(r'^  File "([^"]*)", line \d+', re.MULTILINE)
# Where the frames of a worker itself are: pip's execnet, and this module's worker.py.
WORKERS_OWN = re.compile(r"[/\\]execnet[/\\]gateway_base\.py$|^<string>$|^<execnet|worker\.py$")


def plain(text):
    """The text of an error without what differs between pip's worker and this module's on purpose.

    These are the frames of the worker itself, the lines of source (this module's worker knows those
    of <remote exec>), and the words of a DumpError, in which this module's worker names the place in
    the value. Which EOFError is an error differs, too (protocol.md section 6.6). From Python 3.12 on
    comprehensions have no frames; gpython has those of 3.11.
    """
    # Older releases of pip's worker show errors that they have handled themselves as contexts.
    parts = re.split("(\nDuring handling of the above exception, another exception occurred:\n\n)", text)
    while len(parts) > 1 and WORKERS_OWN.search(FRAME.search(parts[0]).group(1)):
        del parts[:2]
    kept = []
    for line in "".join(parts).splitlines():
        frame = FRAME.match(line)
        if line.startswith("    ") or frame and (WORKERS_OWN.search(frame.group(1)) or line.endswith("comp>")):
            continue
        line = line.replace("execnet.gateway_base.", "", 1)
        if line.startswith("DumpError: "):
            line = "DumpError"
        kept.append(line)
    if kept and re.match("EOFError(: |$)", kept[-1]):
        return "closed"
    return "\n".join(kept)


class Workers:
    """Workers of one kind, and the gateway to the one that programs share.

    spec starts one. engine is the value of EXECNET_ENGINE, or None for pip's own worker.
    """

    def __init__(self, spec, engine, folder):
        self.spec, self.engine, self.folder = spec, engine, folder
        self._group = self._gateway = None

    def connect(self, group, name, keys=""):
        """A gateway to a new worker. What that prints goes to the file gateway.printed_to."""
        environ = {"EXECNET_PYTHON": PYTHON, "EXECNET_ENGINE": self.engine or ""}
        before = {name: os.environ.get(name) for name in environ}
        descriptor, printed_to = tempfile.mkstemp(dir=self.folder)
        saved = os.dup(2)
        os.dup2(descriptor, 2)
        os.environ.update(environ)
        try:
            gateway = group.makegateway("%s//id=%s%s" % (self.spec, name, keys))
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            os.close(descriptor)
            for name, value in before.items():
                os.environ.pop(name, None) if value is None else os.environ.update({name: value})
        gateway.printed_to = printed_to
        return gateway

    def run(self, program, alone=False):
        """Runs a program and returns its result: what was noted, and the files that it left."""
        folder = tempfile.mkdtemp(dir=self.folder)
        alone = alone or program.own_gateway
        group = execnet.Group() if alone else self._group
        try:
            if alone:
                gateway = self.connect(group, "corpus", program.keys)
            else:
                gateway, group = self._shared()
            session = Session(self, group, gateway, program.module, folder)
            program.drive(session)
            return session.result()
        finally:
            if alone:
                group.terminate(timeout=WAIT)

    def _shared(self):
        if self._gateway is None or not self._gateway.hasreceiver():
            self.close()
            self._group = execnet.Group()
            self._gateway = self.connect(self._group, "corpus")
        return self._gateway, self._group

    def close(self):
        if self._group is not None:
            self._group.terminate(timeout=WAIT)
        self._group = self._gateway = None
