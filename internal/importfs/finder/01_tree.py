"""Imports Python modules from the driver's files: the far end's half of package importfs.

For Python 2.7 and for 3.6 and newer, for our own worker and for execnet's. The driver
executes it once in a process, as a module; install() is called for each of its gateways. The far
end asks over a channel for a file or for the names in a folder, and the answer holds what will
probably be needed next, too. Nothing is written to files.
"""
import errno
import io
import os
import sys

PY2 = sys.version_info[0] == 2
if PY2:
    import imp
    Base = object
    ModuleType = type(sys)
else:
    importlib = sys.modules["_frozen_importlib"]
    external = sys.modules["_frozen_importlib_external"]
    Base = external.SourceLoader

ROOT = "<driver>"  # file names begin with it; no such folder exists
FILE, FOLDER, PACKAGE = "", "/", "//"  # what follows a name in a listing


def native(name):
    """A name from the wire as a str."""
    if PY2 and not isinstance(name, str):
        return name.encode("utf-8")
    if not PY2 and isinstance(name, bytes):
        return name.decode("utf-8")
    return name


def join(folder, name):
    return folder + "/" + name if folder else name


class Gone(Exception):
    """No driver can be asked."""


class Tree(object):
    """The files of one fs.FS, as far as they are known here. Names of files are below its root."""

    def __init__(self, id, names):
        self.id = id
        taken = [getattr(getattr(finder, "tree", None), "root", None) for finder in sys.meta_path]
        self.root, n = ROOT, 1
        while self.root in taken:
            n += 1
            self.root = "<driver %d>" % n
        self.controls = []  # channels to ask on: one for each gateway of this process
        self.files = {}  # the content of modules
        self.folders = {"": self.kinds(names)}
        self.used = set()  # files of modules that were imported
        self.stale = set()  # folders to be asked for again
        self.asked = 0  # how often this process has waited for an answer

    @staticmethod
    def kinds(names):
        found = {}
        for name in map(native, names):
            bare = name.rstrip("/")
            found[bare] = name[len(bare):]
        return found

    def shown(self, path):
        """The name of a file here, as __file__ and tracebacks show it."""
        return self.root + "/" + path if path else self.root

    def path(self, shown):
        """The path of a file or folder with this name here, None if it is not of this tree."""
        if not isinstance(shown, str):
            return None
        shown = shown.replace(os.sep, "/")
        if shown == self.root:
            return ""
        return shown[len(self.root) + 1:] if shown.startswith(self.root + "/") else None

    # -- asking

    def ask(self, kind, path):
        """Ask the driver, and return the content of the file if it is one that was asked for.

        What comes along is in files and folders then. kind is "module", "again" for one that is
        known here, "data" for another file, or "folder".
        """
        self.asked += 1
        why = "is gone"
        for control in self.controls[::-1]:
            gateway = control.gateway
            try:
                if in_callback(gateway):
                    raise Gone("a callback cannot wait for the driver's files here; import it before")
                # A channel for each question: many threads may ask, and an interrupted one leaves
                # no answer behind that another would take for its own.
                reply = gateway.newchannel()
                control.send((reply, as_text(kind), as_text(path)))
                answer = reply.receive()
            except (EOFError, EnvironmentError, control.RemoteError):
                if is_open(control):
                    why = "cannot be asked: %s" % sys.exc_info()[1]
                elif self.controls[1:]:
                    self.controls = [other for other in self.controls if other is not control]
            else:
                return self.take(path, answer)
        raise Gone("the driver, which has the file, " + why)

    def take(self, path, answer):
        missing, problem, folders, files, compressed, content = answer
        if compressed:
            content = zlib.decompress(content)
        start, found = 0, None
        for name, size in files:
            name = native(name)
            data = content[start:start + size]
            start += size
            if name == path:
                found = data
            elif name not in self.used:
                self.files[name] = data
        for name, names in folders:
            self.folders[native(name)] = self.kinds(names)
        if missing:
            raise no_such_file(self.shown(path))
        if problem:
            raise IOError(errno.EIO, "the driver cannot read it: " + native(problem), self.shown(path))
        return found

    def module(self, path):
        """The content of a module's file."""
        if path not in self.files:
            self.files[path] = self.ask("module", path)
        return self.files[path]

    def data(self, path):
        """The content of another file, which is not kept."""
        return self.files[path] if path in self.files else self.ask("data", path)

    def refresh(self, path):
        """See to it that a module which is imported once more has its present content."""
        if path not in self.used or path not in self.files:
            return
        try:
            data = self.ask("again", path)
        except Gone:
            return  # what was there before has to do
        if data is not None:  # it has changed
            self.files[path] = data
            linecache = sys.modules.get("linecache")
            if linecache is not None:
                linecache.cache.pop(self.shown(path), None)

    def listing(self, folder):
        if folder in self.stale or folder not in self.folders:
            try:
                self.ask("folder", folder)
                self.stale.discard(folder)
            except Gone:
                if folder not in self.folders:
                    raise
        return self.folders[folder]

    def kind(self, path):
        """FILE, FOLDER or PACKAGE. None if there is nothing of that name."""
        if not path:
            return FOLDER
        folder, _, name = path.rpartition("/")
        if folder and self.kind(folder) in (None, FILE):
            return None
        return self.listing(folder).get(name)

    def find(self, folder, name):
        """What a module of this name in this folder is: its path and a kind; None without one."""
        listing = self.listing(folder)
        if listing.get(name) == PACKAGE:
            return join(join(folder, name), "__init__.py"), PACKAGE
        if listing.get(name + ".py") == FILE:
            return join(folder, name + ".py"), FILE
        if listing.get(name) == FOLDER:
            return join(folder, name), FOLDER
        return None


def is_open(channel):
    return not (channel.isclosed() or channel.gateway._channelfactory.finished)


def as_text(name):
    return name.decode("utf-8") if PY2 and isinstance(name, str) else name


def no_such_file(shown):
    return IOError(errno.ENOENT, "No such file among the driver's", shown)


def in_callback(gateway):
    """Whether this thread is in a callback that keeps what it would wait for from being received.

    It has the lock under which messages are received. In our own worker the thread that has it
    because it reads can read from here as well.
    """
    def is_owned(lock):
        return getattr(lock, "_is_owned", lambda: False)()
    return is_owned(gateway._receivelock) and not is_owned(getattr(gateway, "_role", None))


def failure(name, error):
    """The ImportError for a module that is there and cannot be had."""
    text = "cannot import %s: %s" % (name, error)
    return ImportError(text) if PY2 else ImportError(text, name=name)
