class PathDir(object):
    """The same as HeldDir by paths, for Windows, and for Python 2 where there is no /proc."""

    def __init__(self, path, parent=None):
        self.path, self.parent = path, parent
        if parent is None and not WINDOWS:
            # Its path is resolved once, and every directory on the way must be safe.
            above, path = None, os.path.realpath(path)
            self.path = path
            while path != above:
                refuse_if_shared(path, os.stat(path))
                above, path = path, os.path.dirname(path)

    def sub(self, name):
        d = PathDir(self.full(name), self)
        d.check()
        return d

    def check(self):
        if self.parent is not None:
            st = os.lstat(self.path)
            if not is_dir(st):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            if not WINDOWS:
                refuse_if_shared(self.path, st)

    def close(self):
        pass

    def full(self, name):
        return os.path.join(self.path, local(name))

    def lstat(self, name):
        return os.lstat(self.full(name))

    def names(self):
        return map(wire, os.listdir(self.path))

    def open(self, name, flags):
        fd = os.open(self.full(name), flags, 0o600)
        if PY2 and not WINDOWS:
            fcntl.fcntl(fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        return fd

    def mkdir(self, name, mode):
        os.mkdir(self.full(name), mode)

    def unlink(self, name):
        path = self.full(name)
        if WINDOWS and stat.S_ISDIR(os.lstat(path).st_mode) and not is_dir(os.lstat(path)):
            os.rmdir(path)  # a junction
            return
        try:
            os.unlink(path)
        except OSError:
            if not WINDOWS:
                raise
            os.chmod(path, 0o600)  # read-only files cannot be removed there
            os.unlink(path)

    def rmdir(self, name):
        os.rmdir(self.full(name))

    def rename(self, old, new):
        old, new = self.full(old), self.full(new)
        if not WINDOWS:
            os.rename(old, new)
        elif PY2:
            if os.path.lexists(new):
                self.unlink(wire(os.path.basename(new)))
            os.rename(old, new)
        else:
            os.replace(old, new)

    def symlink(self, target, name):
        if not hasattr(os, "symlink"):
            raise OSError(errno.ENOSYS, "this Python cannot make symbolic links")
        try:
            target = local(target)
        except UnicodeError:
            raise OSError(errno.EILSEQ, "the target of a link on Windows is Unicode")
        os.symlink(target, self.full(name))

    def readlink(self, name):
        return wire(os.readlink(self.full(name)))

    def chmod(self, name, mode):
        os.chmod(self.full(name), mode)

    def utime(self, name, atime, mtime):
        if PY2:
            os.utime(self.full(name), (atime / 1e9, mtime / 1e9))
        else:
            os.utime(self.full(name), ns=(atime, mtime))

    def settle(self, mode, mtime):
        st = os.stat(self.path)
        if abs(mtime_ns(st) - mtime) > INEXACT:
            if PY2:
                os.utime(self.path, (st.st_atime, mtime / 1e9))
            else:
                os.utime(self.path, ns=(st.st_atime_ns, mtime))
        if not same_mode(st, mode):
            os.chmod(self.path, mode)

    def complete(self, fd, temporary, mode, mtime):
        if WINDOWS:
            os.close(fd)  # an open file cannot be renamed there
            self.chmod(temporary, mode)
        else:
            os.fchmod(fd, mode)
            os.close(os.dup(fd))
        self.utime(temporary, mtime, mtime)
        return WINDOWS


def refuse_if_shared(path, st):
    """Refuse a directory in which others can put a link in the place of what is the user's."""
    if (st.st_uid not in (0, os.geteuid())
            or st.st_mode & 0o022 and not st.st_mode & stat.S_ISVTX):
        raise OSError(errno.EPERM, "others can change %s, and this Python cannot keep a sync in a "
                                   "directory that others change: use Python 3"
                      % (path if PY2 else os.fsdecode(path)))


def descriptor_path(fd):
    return "/proc/self/fd/%d" % fd


class ProcDir(PathDir):
    """The same as HeldDir for Python 2 on Linux: /proc/self/fd/N/NAME is the entry NAME of the
    directory that is open as N, whatever has become of its path.
    """

    def __init__(self, path, parent=None):
        self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | (os.O_NOFOLLOW if parent else 0))
        fcntl.fcntl(self.fd, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
        self.path = descriptor_path(self.fd)

    def sub(self, name):
        return ProcDir(self.full(name), self)

    def check(self):
        pass

    def close(self):
        os.close(self.fd)

    def chmod(self, name, mode):
        self.change(name, os.chmod, mode)

    def utime(self, name, atime, mtime):
        self.change(name, os.utime, (atime / 1e9, mtime / 1e9))

    def change(self, name, f, value):
        """Call f for an entry that is no link: f would follow it."""
        fd = os.open(self.full(name), 0o10000000 | os.O_NOFOLLOW)  # O_PATH
        try:
            if not stat.S_ISLNK(os.fstat(fd).st_mode):
                f(descriptor_path(fd), value)
        finally:
            os.close(fd)

    def complete(self, fd, temporary, mode, mtime):
        os.fchmod(fd, mode)
        os.utime(descriptor_path(fd), (mtime / 1e9, mtime / 1e9))
        os.close(os.dup(fd))
        return False


if WINDOWS:
    errors = "strict" if PY2 else "surrogatepass"

    def local(name):
        return name.decode("utf-8", errors)

    def wire(name):
        return name.encode("utf-8", errors)
else:
    def local(name):
        return name

    wire = local


if BY_DESCRIPTOR:
    NewDir = HeldDir
elif sys.platform.startswith("linux") and os.path.isdir("/proc/self/fd"):
    NewDir = ProcDir
else:
    NewDir = PathDir
