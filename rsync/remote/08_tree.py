class Tree(object):
    """How a receiver takes what the driver announces, and asks for what differs."""

    def hello(self, item):
        if item[:1] != b"V" or len(item) < 7:
            raise protocol_error("no hello")
        version, flags = get_hello(item, 1)
        if version != VERSION or flags & ~(DELETE | DRY_RUN | DELTA):
            raise Fatal("only version 1 with flags 1, 2 and 4 is known here, "
                        "not version %d with flags %d" % (version, flags))
        self.delete, self.dry, self.delta = flags & DELETE, flags & DRY_RUN, flags & DELTA
        path = item[7:]
        if not path or b"\0" in path:
            raise protocol_error("a destination that is no path")
        if WINDOWS:
            self.path = os.path.abspath(local(path))
        else:
            self.path = os.path.abspath(path)
        if not self.dry:
            above = os.path.dirname(self.path)
            try:
                if not os.path.isdir(above):
                    os.makedirs(above)
            except OSError as e:
                if not os.path.isdir(above):
                    raise Fatal("%s (making the folder above the destination)" % explain(e))
        # HERE compares times exactly, which Python 2 cannot.
        self.send(b"v" + struct.pack(">HI", VERSION, 0 if PY2 or WINDOWS else 1))

    def tree(self, item):
        pos, size = 1, len(item)
        wants, checks = [], []
        while pos < size:
            number, flags, count, names_size, targets_size = get_block(item, pos)
            entries = pos + 17
            start = entries + 21 * count
            end = start + names_size
            pos = end + targets_size
            if pos > size or flags & ~(LAST | INCOMPLETE):
                raise protocol_error("a tree block of a wrong length, or with unknown flags")
            names = item[start:end]
            targets = item[end:pos]
            if number == NO_ENTRY:
                if self.count or count != 1 or names or targets:
                    raise protocol_error("a wrong block for the root")
                self.root(item, entries, wants, checks)
                continue
            folder = self.unfinished.get(number)
            if folder is None:
                raise protocol_error("members of entry %d, which is no directory, or complete"
                                     % number)
            if b"/" in names:
                raise refused(names)
            names = names.split(b"\0") if count or names else []
            if len(names) != count:
                raise protocol_error("%d names for %d entries" % (len(names), count))
            self.members(folder, item, entries, names, targets, wants, checks)
            if flags & INCOMPLETE:
                folder.complete = False
            if flags & LAST:
                del self.unfinished[number]
                self.clean(folder)
                folder.announced = folder.folded = None
        self.send(b"w" + b"".join(wants))
        self.send_deleted()
        for i in range(0, len(checks), RECORDS):
            self.send(b"h" + b"".join([self.digest_of(check) for check in checks[i:i + RECORDS]]))

    def root(self, item, at, wants, checks):
        kind, mode, mtime, size = get_entry(item, at)
        self.count = 1
        try:
            st = os.stat(self.path)
        except OSError as e:
            if e.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise Fatal(explain(e))
            st = None
        there = st is not None and stat.S_ISDIR(st.st_mode)
        if kind == FILE:
            if there:
                raise Fatal("EISDIR: the destination is a directory, but the source is a file")
            above, name = os.path.split(self.path)
            self.above = Folder(None, above, None, 0, 0)
            self.above.missing = self.dry and not os.path.isdir(above)
            self.file(self.above, 0, wire(name), mode, mtime, size, wants, checks)
            return
        if kind != DIR:
            raise protocol_error("a root that is neither a directory nor a file")
        if st is not None and not there:
            raise Fatal("ENOTDIR: the destination is a file, but the source is a directory")
        folder = Folder(None, self.path, 0, mode, mtime)
        try:
            if not there:
                folder.missing = self.dry
                folder.new = bool(self.dry) or patiently(self.make_root)
                self.made += folder.new
            elif st.st_mode & 0o700 != 0o700 and not self.dry:
                os.chmod(self.path, st.st_mode & 0o7777 | 0o700)
            if not folder.missing:
                self.hold(folder)
        except OSError as e:
            raise Fatal(explain(e))
        self.folders.append(folder)
        self.unfinished[0] = folder

    def make_root(self):
        """Make the destination; False if somebody else has."""
        if os.path.isdir(self.path):
            return False
        if os.path.islink(self.path):
            ignoring_errors(os.unlink, self.path)  # a link to nothing
        os.mkdir(self.path, 0o700)
        return True

    def members(self, folder, item, at, names, targets, wants, checks):
        announced = folder.announced
        before = len(announced)
        announced.update(names)
        if b"" in names or len(announced) != before + len(names):
            raise protocol_error("an empty name, or one twice in a directory")
        for name in DOTS:
            if name in announced:
                raise refused(name)
        if max(map(len, names)) > MAX_NAME if names else False:
            raise protocol_error("a name longer than %d bytes" % MAX_NAME)
        misfits = self.misfits(folder, names)
        targets = targets.split(b"\0")
        links = 0
        up_to_date, compared = self.comparer(folder)
        for name in names:
            if up_to_date is not None and self.open_dirs[-1:] != compared:
                up_to_date, compared = self.comparer(folder)  # the directory was made again
            kind, mode, mtime, size = get_entry(item, at)
            at += 21
            entry = self.count
            self.count = entry + 1
            if kind != OTHER and (folder.refused or name in misfits):
                links += kind == LINK or kind == LINK_BASE
                self.refuse(folder, entry, kind, name, misfits.get(name))
            elif kind == FILE:
                if up_to_date is not None and up_to_date(name, mode, mtime, size):
                    continue
                self.file(folder, entry, name, mode, mtime, size, wants, checks)
            elif kind == DIR:
                self.directory(folder, entry, name, mode, mtime)
            elif kind == LINK or kind == LINK_BASE:
                if links == len(targets):
                    raise protocol_error("a link without a target")
                self.link(folder, entry, name, kind == LINK_BASE, targets[links])
                links += 1
            elif kind != OTHER:
                raise protocol_error("an entry of unknown kind %d" % kind)
        if len(targets) != max(links, 1) or not links and targets[0]:
            raise protocol_error("%d targets for %d links" % (len(targets), links))
        if self.count >= NO_ENTRY:
            raise protocol_error("more entries than can be numbered")

    def misfits(self, folder, names):
        """Names that no entry can have on this system or in this directory, with the reasons."""
        misfits = {}
        if folder.refused or not names:
            return misfits
        if unfit is not None:
            for name in names:
                problem = unfit(name)
                if problem:
                    misfits[name] = problem
        add = folder.folded.setdefault
        for key, name in zip(small(names), names):
            other = add(key, name)
            if other is not name and name not in misfits and self.is_one(folder, other, name):
                shown = [n if PY2 else os.fsdecode(n) for n in (other, name)]
                misfits[name] = 'EEXIST: "%s" and "%s" are one name here' % tuple(shown)
        return misfits

    def is_one(self, folder, a, b):
        if self.dry:
            return FOLDS_CASE
        if folder.missing:
            return False
        probe = self.temporary(b"names")
        return self.within(folder, is_one_name, probe, a, b)

    def refuse(self, parent, entry, kind, name, problem):
        """Report an entry whose name cannot be one here, unless it is in one that was reported."""
        if problem:
            self.failures += 1
            self.error(ENTRY, entry, parent.path(name), problem)
        if kind == DIR:
            folder = Folder(parent, name, entry, 0, 0)
            folder.missing = folder.refused = True
            self.folders.append(folder)
            self.unfinished[entry] = folder

    def comparer(self, folder):
        """A quick test whether a file needs nothing, as most files of a large tree, and what has to
        be at the end of open_dirs for it. It is None if there is no such test here.
        """
        if not BY_DESCRIPTOR or folder.missing or folder.new:
            return None, None
        try:
            fd = self.hold(folder).fd
        except OSError:
            return None, None
        look = os.stat

        def up_to_date(name, mode, mtime, size):
            try:
                st = look(name, dir_fd=fd, follow_symlinks=False)
            except OSError:
                return False
            return st.st_mtime_ns == mtime and st.st_size == size and st.st_mode == mode
        return up_to_date, self.open_dirs[-1:]

    def file(self, folder, entry, name, mode, mtime, size, wants, checks):
        want = CONTENT
        size_there = 0
        st = None
        if not folder.missing:
            try:
                if not folder.new:
                    st = self.look(folder, name)
                if st is not None and stat.S_ISREG(st.st_mode):
                    want, size_there = DIFFERS, st.st_size
                    if size_there == size and abs(mtime_ns(st) - mtime) <= INEXACT:
                        if same_mode(st, mode) or self.set_mode(folder, name, mode):
                            return
                        want, size_there = CONTENT, 0
                    elif size_there == size and not (self.delta and size >= DELTA_FROM):
                        want = CHECK
                        checks.append((entry, folder, name))
            except OSError as e:
                self.report(entry, folder.path(name), e)
                return
        elif not self.dry:
            return  # its directory could not be made, which has been reported
        self.wanted[entry] = (folder, name, mode & 0o7777, mtime) + (
            (None, None) if want == CONTENT else (size_there, version(st)))
        wants.append(put_want(entry, want, size_there))
        if st is not None and is_dir(st):
            self.note_deleted(folder.path(name))

    def set_mode(self, folder, name, mode):
        """Set the mode of a file whose content is right. False if that is not allowed; the file is
        written anew then.
        """
        if not self.dry:
            try:
                self.within(folder, lambda d: d.chmod(name, mode & 0o7777))
            except OSError:
                return False
        self.touched += 1
        return True

    def directory(self, parent, entry, name, mode, mtime):
        folder = Folder(parent, name, entry, mode, mtime)
        self.folders.append(folder)
        self.unfinished[entry] = folder
        if parent.missing:
            folder.missing = True
            if self.dry:
                self.made += 1
            return
        try:
            st = None if parent.new else self.look(parent, name)
            folder.new = st is None or not is_dir(st)
            if folder.new:
                folder.missing = self.dry
                if not self.dry:
                    folder.new = self.within(parent, self.make_patiently, name)
                self.made += 1 if self.dry else folder.new
                if st is not None:
                    self.note_deleted(folder.path())
            elif not self.dry and st.st_mode & 0o700 != 0o700:
                mode = st.st_mode & 0o7777 | 0o700
                self.within(parent, lambda d: d.chmod(name, mode))
        except OSError as e:
            folder.missing = True
            self.report(entry, folder.path(), e)

    def link(self, folder, entry, name, below, target):
        if below:
            if target[:1] == b"/" or b".." in target.split(b"/"):
                raise Fatal("refusing the link target %r: it leads out of the destination"
                            % (target,))
            target = wire(self.path) + (b"/" + target if target else b"")
        if WINDOWS:
            target = target.replace(b"/", b"\\")
        if not folder.missing or self.dry:
            self.links.append((folder, entry, name, target))

    def clean(self, folder):
        """Remove what was not announced, if that was asked for, and the temporary files that killed
        syncs have left.
        """
        if folder.missing or folder.new:
            return
        announced, delete = folder.announced, self.delete and folder.complete
        try:
            names = self.within(folder, lambda d: [n for n in d.names() if n not in announced])
            d = self.hold(folder)
        except OSError as e:
            self.report(folder.number, folder.path(), e)
            return
        for name in names:
            self.heartbeat()
            leftover = is_temporary(name)
            if not (delete or leftover):
                continue
            try:
                if not self.dry:
                    (remove_leftover if leftover else remove)(d, name, self.heartbeat)
            except OSError as e:
                if e.errno != errno.ENOENT:
                    # Another sync is writing to what does not get empty.
                    busy = e.errno in (errno.ENOTEMPTY, errno.EEXIST)
                    self.report(NO_ENTRY, folder.path(name), e, WARNING if busy else ENTRY)
                continue
            if not leftover:
                self.note_deleted(folder.path(name))

    def note_deleted(self, path):
        """Count an entry that was removed, or will be replaced by one of another kind."""
        self.removed += 1
        self.deleted.append(path)
        self.deleted_size += len(path) + 1
        if self.deleted_size > CHUNK:
            self.send_deleted()

    def send_deleted(self):
        if self.deleted:
            self.send(b"d" + b"\0".join(self.deleted))
            self.deleted, self.deleted_size = [], 0
