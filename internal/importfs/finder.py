"""Imports Python modules from the driver's files: the far end's half of package importfs.

One file for Python 2.7 and for 3.6 and newer, for our own worker and for execnet's. The driver
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


# -- modules

class Loader(Base):
    """Loads one module.

    From Python 3 on importlib's own loader does most of it, so its frames are hidden in tracebacks
    as they are for files.
    """

    def __init__(self, tree, name, path, kind):
        self.tree, self.name, self.path, self.kind = tree, name, path, kind
        self.folder = path.rpartition("/")[0] if kind == PACKAGE else None

    def get_filename(self, name=None):
        return self.tree.shown(self.path)

    def is_package(self, name=None):
        return self.kind == PACKAGE

    def get_data(self, path):
        found = self.tree.path(path)
        if found is None:
            raise no_such_file(path)
        if found == self.path:
            try:
                return self.tree.module(found)
            except (Gone, EnvironmentError):
                raise_from_none(failure(self.name, sys.exc_info()[1]))
        try:
            return self.tree.data(found)
        except Gone:
            raise_from_none(IOError(errno.EIO, str(sys.exc_info()[1]), path))

    def get_resource_reader(self, name=None):
        return Reader(self.tree, self.path.rpartition("/")[0])

    def create_module(self, spec):
        self.tree.used.add(self.path)

    if PY2:
        def get_source(self, name=None):
            return self.get_data(self.get_filename()).replace("\r\n", "\n").replace("\r", "\n")

        def get_code(self, name=None):
            return compile(self.get_data(self.get_filename()), self.get_filename(), "exec", 0, True)

        def load_module(self, name):
            module, new = sys.modules.get(name), name not in sys.modules
            if new:
                module = sys.modules[name] = ModuleType(name)
            module.__file__, module.__loader__ = self.get_filename(), self
            module.__package__ = name if self.kind == PACKAGE else name.rpartition(".")[0]
            if self.kind == PACKAGE:
                module.__path__ = [self.tree.shown(self.folder)]
            self.tree.used.add(self.path)
            try:
                exec(self.get_code(), module.__dict__)
            except BaseException:
                if new:
                    sys.modules.pop(name, None)
                raise
            return sys.modules[name]


class FolderLoader(object):
    """Loads a namespace package: a folder without __init__.py."""

    def __init__(self, tree, folder, locations):
        self.tree, self.folder, self.locations = tree, folder, locations

    def is_package(self, name=None):
        return True

    def get_source(self, name=None):
        return ""

    def get_code(self, name=None):
        return compile("", "<namespace package>", "exec", 0, True)

    def get_resource_reader(self, name=None):
        return Reader(self.tree, self.folder)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass

    if PY2:
        def load_module(self, name):
            if name not in sys.modules:
                module = sys.modules[name] = ModuleType(name)
                module.__loader__, module.__package__, module.__path__ = self, name, self.locations
            return sys.modules[name]


def raise_from_none(error):
    if not PY2:
        error.__cause__, error.__suppress_context__ = None, True
    raise error


class Finder(object):
    """A finder for sys.meta_path. It stands right before the one for sys.path."""

    def __init__(self, tree):
        self.tree = tree

    def invalidate_caches(self):
        self.tree.stale.update(self.tree.folders)

    def search(self, name, path):
        """The Loader of a regular module, and the folders of a namespace package of this name."""
        last, folders = name.rpartition(".")[2], []
        for entry in [self.tree.root] if path is None else path:
            folder = self.tree.path(entry)
            try:
                found = None if folder is None else self.tree.find(folder, last)
                if found is not None and found[1] != FOLDER and not folders:
                    self.tree.refresh(found[0])
                    return Loader(self.tree, name, *found), []
            except (Gone, EnvironmentError):
                raise_from_none(failure(name, sys.exc_info()[1]))
            if found is not None and found[1] == FOLDER:
                folders.append(found[0])
        return None, folders

    def find_spec(self, name, path=None, target=None):
        if name == "importlib._common" and sys.version_info[:2] == (3, 9):
            return teaching_files(external.PathFinder.find_spec(name, path))
        if path is None and (name == "__main__" or not self.has(name) or in_stdlib(name)):
            return None
        loader, folders = self.search(name, path)
        if loader is not None:
            spec = importlib.ModuleSpec(name, loader, origin=loader.get_filename(),
                                        is_package=loader.is_package())
            spec.has_location = True
            if loader.is_package():
                spec.submodule_search_locations.append(self.tree.shown(loader.folder))
            return spec
        if not folders:
            return None
        # Whatever else has that name comes before a namespace package, or is part of it.
        locations = [self.tree.shown(folder) for folder in folders]
        after = sys.meta_path.index(self) + 1 if self in sys.meta_path else 0
        for finder in sys.meta_path[after:]:
            theirs = finder.find_spec(name, path, target) if hasattr(finder, "find_spec") else None
            if theirs is not None:
                if theirs.loader is not None and not isinstance(theirs.loader, FolderLoader):
                    return theirs
                locations += [place for place in theirs.submodule_search_locations
                              if place not in locations]
                break
        spec = importlib.ModuleSpec(name, FolderLoader(self.tree, folders[0], locations), is_package=True)
        spec.submodule_search_locations[:] = locations
        return spec

    def has(self, name):
        """Whether the driver's files may have a module of this name that is in no package."""
        names = self.tree.folders[""]
        return name + ".py" in names or names.get(name, FILE) != FILE or "" in self.tree.stale

    if PY2:
        def find_module(self, name, path=None):
            if path is None and (name == "__main__" or not self.has(name) or in_stdlib(name)):
                return None
            loader, folders = self.search(name, path)
            if loader is None and folders and not (path is None and found_by_imp(name)):
                loader = FolderLoader(self.tree, folders[0], map(self.tree.shown, folders))
            return loader


class FolderFinder(object):
    """Finds modules in one of the driver's folders: what sys.path_hooks makes of its name."""

    def __init__(self, path):
        for finder in sys.meta_path:
            if isinstance(finder, Finder):
                self.folder = finder.tree.path(path)
                if self.folder is not None:
                    self.finder, self.tree = finder, finder.tree
                    return
        raise ImportError("not one of the driver's folders: %r" % (path,))

    def find_spec(self, name, target=None):
        """Like find_spec of importlib's FileFinder. A namespace package has no loader then."""
        loader, folders = self.finder.search(name, [self.tree.shown(self.folder)])
        if loader is not None:
            return self.finder.find_spec(name, [self.tree.shown(self.folder)], target)
        if not folders:
            return None
        spec = importlib.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations[:] = map(self.tree.shown, folders)
        return spec

    if PY2:
        def find_module(self, name, path=None):
            return self.finder.find_module(name, [self.tree.shown(self.folder)])

    def iter_modules(self, prefix=""):
        """For pkgutil.iter_modules and walk_packages."""
        for name, kind in sorted(self.tree.listing(self.folder).items()):
            stem, dot, ending = name.partition(".")
            if kind == PACKAGE:
                yield prefix + name, True
            elif kind == FILE and dot + ending == ".py" and stem != "__init__":
                yield prefix + stem, False

    def invalidate_caches(self):
        self.tree.stale.add(self.folder)


STDLIB = sorted(set(map(os.path.dirname, [os.__file__, os.path.realpath(os.__file__)])))
STDLIB += [folder for folder in sys.path if os.path.basename(folder) in ("lib-dynload", "DLLs")]
decided = {"test": False}  # this one is of no use to anybody but Python's own tests


def in_stdlib(name):
    """Whether the standard library of this Python has a module of this name.

    Such a module never comes from the driver: the library itself would get the wrong one.
    """
    if name not in decided:
        decided[name] = name in sys.builtin_module_names or name in getattr(
            sys, "stdlib_module_names", ()) or found_in_stdlib(name)
    return decided[name]


def found_in_stdlib(name):
    if hasattr(sys, "stdlib_module_names"):
        return False
    if PY2:
        return found_by_imp(name, STDLIB)
    spec = external.PathFinder.find_spec(name, STDLIB)
    return spec is not None and spec.loader is not None


def found_by_imp(name, path=None):
    try:
        file = imp.find_module(name, path)[0]
    except ImportError:
        return False
    if file:
        file.close()
    return True


# -- data files

class Resource(object):
    """A file or folder of the driver, with the methods of importlib.resources' Traversable."""

    def __init__(self, tree, path):
        self._tree, self._path = tree, path

    def __repr__(self):
        return "<%s>" % self

    def __str__(self):
        return self._tree.shown(self._path)

    def __eq__(self, other):
        return type(other) is Resource and (self._tree, self._path) == (other._tree, other._path)

    def __hash__(self):
        return hash(self._path)

    @property
    def name(self):
        return self._path.rpartition("/")[2]

    @property
    def _kind(self):
        return gone_is_an_error(self._tree.kind, self._path)

    def is_dir(self):
        return self._kind in (FOLDER, PACKAGE)

    def is_file(self):
        return self._kind == FILE

    def exists(self):
        return self._kind is not None

    def iterdir(self):
        if not self.is_dir():
            raise OSError(errno.ENOTDIR, "Not a folder among the driver's files", str(self))
        for name in sorted(gone_is_an_error(self._tree.listing, self._path)):
            yield Resource(self._tree, join(self._path, name))

    def joinpath(self, *parts):
        path = self._path
        for part in parts:
            for step in native(getattr(part, "__fspath__", lambda: part)()).replace(os.sep, "/").split("/"):
                if step not in ("", "."):
                    path = join(path, step)
        return Resource(self._tree, path)

    def __truediv__(self, part):
        return self.joinpath(part)

    def read_bytes(self):
        if self.is_dir():
            raise IOError(errno.EISDIR, "A folder among the driver's files", str(self))
        return gone_is_an_error(self._tree.data, self._path)

    def read_text(self, encoding=None, errors=None):
        with self.open("r", encoding=encoding, errors=errors) as file:
            return file.read()

    def open(self, mode="r", *args, **kwargs):
        if mode not in ("r", "rb", "rt"):
            raise ValueError("the driver's files can only be read, so the mode cannot be %r" % mode)
        file = io.BytesIO(self.read_bytes())
        if mode == "rb":
            return file
        kwargs["encoding"] = (args[1] if len(args) > 1 else kwargs.get("encoding")) or "utf-8"
        return io.TextIOWrapper(file, kwargs["encoding"], *args[2:], **dict(
            (key, kwargs[key]) for key in kwargs if key in ("errors", "newline")))


def gone_is_an_error(call, path):
    try:
        return call(path)
    except Gone:
        raise_from_none(IOError(errno.EIO, str(sys.exc_info()[1]), path))


class Reader(object):
    """What importlib.resources asks a loader for, in all its versions."""

    def __init__(self, tree, folder):
        self._folder = Resource(tree, folder)

    def files(self):
        return self._folder

    def open_resource(self, name):
        return self._folder.joinpath(name).open("rb")

    def resource_path(self, name):
        raise no_such_file(str(self._folder.joinpath(name)))  # it is in no file of this machine

    def is_resource(self, name):
        return self._folder.joinpath(name).is_file()

    def contents(self):
        return (found.name for found in self._folder.iterdir())


def teaching_files(spec):
    """The spec of the module in which Python 3.9 has importlib.resources.files().

    That looks for a folder and asks no loader, as it does from 3.10 on.
    """
    load = spec.loader.exec_module

    def exec_module(module):
        load(module)
        teach_files(module)
    spec.loader.exec_module = exec_module
    return spec


def teach_files(module):
    usual = module.from_package

    def from_package(package):
        loader = package.__spec__.loader
        if isinstance(loader, (Loader, FolderLoader)):
            return loader.get_resource_reader().files()
        return usual(package)
    module.from_package = from_package


# -- greenlets

class GreenLock(object):
    """A lock that greenlets wait for, of whatever thread. Any of them may release it."""

    def __init__(self, lock, sleep):
        self._lock, self._sleep = lock, sleep
        self.release = lock.release

    def acquire(self, blocking=True):
        while not self._lock.acquire(False):
            if not blocking:
                return False
            self._sleep(0.002)
        return True

    def __enter__(self):
        self.acquire()

    def __exit__(self, *_):
        self._lock.release()


class GreenThreads(object):
    """Stands for the module _thread within importlib, so that its locks belong to greenlets.

    Otherwise the greenlets of a thread would all be the one that imports a module, and while that
    waits for the driver another one would execute the module again, or get half of it.
    """

    def __init__(self, thread, execmodel):
        import greenlet
        self._thread, self._sleep, self._current = thread, execmodel.sleep, greenlet.getcurrent

    def get_ident(self):
        return id(self._current())

    def allocate_lock(self):
        return GreenLock(self._thread.allocate_lock(), self._sleep)

    def __getattr__(self, name):
        return getattr(self._thread, name)


def lock_by_greenlets(execmodel):
    if not (PY2 or isinstance(importlib._thread, GreenThreads)):
        importlib._thread = GreenThreads(importlib._thread, execmodel)


# -- set-up

def library(gateway, name):
    """A module of the standard library, None if this Python has been built without it."""
    def from_path(name):
        return __import__(name)
    try:
        return getattr(gateway, "_from_stdlib", from_path)(name)
    except ImportError:
        return None


zlib = None


def forget_the_gone(id):
    """Remove what is left of other drivers of this process that are gone, as of a socket server's.

    A driver that has a module of the same name gets its own.
    """
    for finder in list(sys.meta_path):
        if isinstance(finder, Finder) and finder.tree.id != id and not any(map(is_open, finder.tree.controls)):
            sys.meta_path.remove(finder)
            for name, module in list(sys.modules.items()):
                if getattr(getattr(module, "__loader__", None), "tree", None) is finder.tree:
                    sys.modules.pop(name, None)
            # The next tree has the same file names.
            for cache in sys.path_importer_cache, getattr(sys.modules.get("linecache"), "cache", {}):
                for name in list(cache):
                    if finder.tree.path(name) is not None:
                        cache.pop(name, None)


def install(channel, id, names):
    """Have the modules of a tree found. names is the listing of its top folder.

    It answers with the channel on which this process will ask, what the driver must know about this
    Python, and the files that are known here from another gateway.
    """
    global zlib
    gateway, id = channel.gateway, native(id)
    zlib = zlib or library(gateway, "zlib")
    if PY2:
        # All imports share a lock. The thread that holds it may wait for a file of the driver, so
        # the one that reads cannot import then what it needs for interrupts and for errors.
        for name in "ctypes", "select", "signal", "traceback":
            library(gateway, name)
    forget_the_gone(id)
    if gateway.execmodel.backend in ("gevent", "eventlet"):
        lock_by_greenlets(gateway.execmodel)
    for finder in sys.meta_path:
        if isinstance(finder, Finder) and finder.tree.id == id:
            tree = finder.tree
            tree.folders[""] = tree.kinds(names)
            break
    else:
        tree = Tree(id, names)
        if FolderFinder not in sys.path_hooks:
            sys.path_hooks.insert(0, FolderFinder)
            if sys.version_info[:2] == (3, 9) and "importlib._common" in sys.modules:
                teach_files(sys.modules["importlib._common"])
        before = [i for i, finder in enumerate(sys.meta_path)
                  if getattr(finder, "__name__", None) == "PathFinder"]
        sys.meta_path.insert(before[0] if before else len(sys.meta_path), Finder(tree))
    control = gateway.newchannel()
    tree.controls.append(control)
    channel.send((control, sys.version_info[0], zlib is not None, [as_text(name) for name in tree.files]))
