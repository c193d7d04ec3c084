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
