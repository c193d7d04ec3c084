class Folder(object):
    """A directory that was announced.

    missing: it is not there, since this is a dry run, or it could not be made.
    refused: it cannot be made, as one of its names cannot be here.
    complete: the driver could read all of it, so that what was not announced may be deleted.
    folded: the names announced, by the same in small letters; of two alike the first.
    """
    __slots__ = ("parent", "name", "depth", "number", "mode", "mtime", "missing", "new", "refused",
                 "announced", "complete", "folded")

    def __init__(self, parent, name, number, mode, mtime):
        self.parent, self.name, self.number = parent, name, number
        self.mode, self.mtime = mode, mtime
        self.depth = parent.depth + 1 if parent else 0
        self.missing = self.new = self.refused = False
        self.announced, self.complete, self.folded = set(), True, {}

    def path(self, name=b""):
        names = [name] if name else []
        while self.parent is not None:
            names.append(self.name)
            self = self.parent
        return b"/".join(reversed(names))


class Folders(object):
    """How a receiver keeps directories open, and finds and makes those in them."""

    def hold(self, folder):
        """The directory, opened from the destination down without following a link."""
        opened = self.open_dirs
        if opened and opened[-1][0] is folder:
            d = opened[-1][1]
        else:
            missing = []
            f = folder
            while f is not None and not (f.depth < len(opened) and opened[f.depth][0] is f):
                missing.append(f)
                f = f.parent
            self.shrink(f.depth + 1 if f else 0)
            for f in reversed(missing):
                if f.parent is None:
                    d = NewDir(f.name)
                else:
                    d = self.open_sub(opened[-1][1], f)
                opened.append((f, d))
            d = opened[-1][1]
        if not BY_DESCRIPTOR and not self.checked:
            for f, d_above in opened:
                d_above.check()
            self.checked = True
        return d

    def shrink(self, n):
        while len(self.open_dirs) > n:
            self.open_dirs.pop()[1].close()

    def open_sub(self, d, folder):
        """Open a directory in d. It is made again if it has vanished or a file has taken its name.
        A link in its place is an error: the user, or somebody who wants to lead the sync elsewhere,
        has put it there.
        """
        try:
            return d.sub(folder.name)
        except OSError:
            st = look_at(d, folder.name)
            if self.dry or not (st is None or is_dir(st) or stat.S_ISREG(st.st_mode)):
                raise
        if self.make_patiently(d, folder.name):
            self.error(WARNING, NO_ENTRY, folder.path(),
                       "the directory was removed during the sync and made again: "
                       "it may lack what had been put into it")
        return d.sub(folder.name)

    def make_dir(self, d, name):
        """Make a directory in the place of what has its name. False if it is there."""
        st = look_at(d, name)
        if st is not None:
            if is_dir(st):
                return False
            remove(d, name, self.heartbeat)
        d.mkdir(name, 0o700)
        return True

    def make_patiently(self, d, name):
        return patiently(self.make_dir, d, name)

    def within(self, folder, f, *args):
        """Call f with the directory. If it has been removed meanwhile, call f again with the one
        that was made in its place.
        """
        for _ in range(ATTEMPTS):
            try:
                return f(self.hold(folder), *args)
            except OSError as e:
                if e.errno not in (errno.ENOENT, errno.ENOTDIR):
                    raise
            self.shrink(1)  # the destination itself stays open
        return f(self.hold(folder), *args)

    def look(self, folder, name):
        """The lstat of an entry, None if there is none."""
        return self.within(folder, look_at, name)
