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
