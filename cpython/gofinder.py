"""Finds the modules of a Go worker's functions, in the Python that runs behind it.

The Python worker executes this before it serves, in its own namespace. It only notes what there is: the
text that makes the modules and the calls is compiled at the first import of one of them.
"""


class GoFinder(object):
    """A finder for sys.meta_path. It stands in front, so these modules come before files."""

    def __init__(self, gateway, names, source, described, channel_id, pipes):
        """source is the text of gofunctions/, and described what it tells of the functions.

        channel_id is where messages for the Go process go. pipes are the descriptors for calls, None
        if this interpreter was not given them.
        """
        self.gateway, self.source, self.described = gateway, source, described
        self.channel_id, self.pipes = channel_id, pipes
        self.modules = set(names)
        self.packages = set()
        for name in names:
            while "." in name:
                name = name.rpartition(".")[0]
                self.packages.add(name)
        self._loader = None

    def knows(self, name):
        return name in self.modules or name in self.packages

    def loader(self):
        if self._loader is None:
            names = dict(globals())
            exec(compile(self.source, "<Go functions>", "exec"), names)
            self._loader = names["GoFunctions"](self)
        return self._loader

    def find_spec(self, name, path=None, target=None):
        if self.knows(name):
            return self.loader().spec(name)

    if PY2:
        def find_module(self, name, path=None):
            if self.knows(name):
                return self.loader()


def find_go_functions(gateway, names, source, described, channel_id, reading, writing, inodes=None):
    """Have the modules of these names found. reading and writing are descriptors, or handles.

    A program that starts this interpreter may have closed the descriptors, and other files may have
    their numbers. inodes tells which files they are, if that can be told.
    """
    fds = [reading, writing]
    try:
        if sys.platform == "win32":
            import msvcrt
            fds = [msvcrt.open_osfhandle(fds[0], os.O_RDONLY | os.O_BINARY),
                   msvcrt.open_osfhandle(fds[1], os.O_BINARY)]
        if inodes and [os.fstat(fd).st_ino for fd in fds] != inodes:
            raise OSError
        for fd in fds:
            not_inherited(fd)
    except EnvironmentError:
        fds = None
    sys.meta_path.insert(0, GoFinder(gateway, names, source, described, channel_id, fds))
