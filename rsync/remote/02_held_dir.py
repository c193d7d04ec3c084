class HeldDir(object):
    """An open directory."""

    def __init__(self, path, parent=None):
        if parent is None:
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        else:
            self.fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC | os.O_NOFOLLOW,
                              dir_fd=parent.fd)

    def sub(self, name):
        return HeldDir(name, self)

    def check(self):
        pass

    def close(self):
        os.close(self.fd)

    def lstat(self, name):
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False)

    def names(self):
        return map(os.fsencode, os.listdir(self.fd))

    def open(self, name, flags):
        return os.open(name, flags, 0o600, dir_fd=self.fd)

    def mkdir(self, name, mode):
        os.mkdir(name, mode, dir_fd=self.fd)

    def unlink(self, name):
        os.unlink(name, dir_fd=self.fd)

    def rmdir(self, name):
        os.rmdir(name, dir_fd=self.fd)

    def rename(self, old, new):
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def symlink(self, target, name):
        os.symlink(target, name, dir_fd=self.fd)

    def readlink(self, name):
        return os.readlink(name, dir_fd=self.fd)

    def chmod(self, name, mode):
        if os.chmod in os.supports_follow_symlinks:
            os.chmod(name, mode, dir_fd=self.fd, follow_symlinks=False)
            return
        # Linux: the entry is opened without following a link, and changed through its descriptor.
        fd = os.open(name, 0o10000000 | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.fd)  # O_PATH
        try:
            if not stat.S_ISLNK(os.fstat(fd).st_mode):
                os.chmod("/proc/self/fd/%d" % fd, mode)
        finally:
            os.close(fd)

    def utime(self, name, atime, mtime):
        os.utime(name, ns=(atime, mtime), dir_fd=self.fd, follow_symlinks=False)

    def settle(self, mode, mtime):
        """Give the directory itself its mode and time."""
        st = os.fstat(self.fd)
        if st.st_mtime_ns != mtime:
            os.utime(self.fd, ns=(st.st_atime_ns, mtime))
        if not same_mode(st, mode):
            os.fchmod(self.fd, mode)

    def complete(self, fd, temporary, mode, mtime):
        """Give a new file its mode and time, and report what closing it would: some file systems
        report a full disk only then. Whether it was closed.
        """
        os.fchmod(fd, mode)
        os.utime(fd, ns=(mtime, mtime))
        os.close(os.dup(fd))
        return False
