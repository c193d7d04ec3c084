class Ending(object):
    """What a receiver does last: symbolic links, and the modes and times of directories."""

    def finish(self):
        for folder, entry, name, target in self.links:
            self.heartbeat()
            try:
                self.make_link(folder, name, target)
            except OSError as e:
                self.report(entry, folder.path(name), e)
        if not self.dry:
            for folder in reversed(self.folders):
                self.heartbeat()
                if folder.missing:
                    continue
                try:
                    self.within(folder, self.settle, folder)
                except OSError as e:
                    self.report(folder.number, folder.path(), e, WARNING)
        self.send_deleted()
        self.ack()
        self.send(b"z" + struct.pack(">8Q", self.written, self.touched, self.made, self.linked,
                                     self.removed, self.failures, self.received, self.copied))

    def settle(self, d, folder):
        d.settle(folder.mode & 0o7777, folder.mtime)

    def make_link(self, folder, name, target):
        if folder.missing:  # in a dry run
            self.linked += 1
            return
        st = self.look(folder, name)
        if (st is not None and stat.S_ISLNK(st.st_mode)
                and self.hold(folder).readlink(name) == target):
            return
        self.linked += 1
        if st is not None and is_dir(st):
            self.note_deleted(folder.path(name))
        if not self.dry:
            self.within(folder, self.link_patiently, name, target)

    def link_patiently(self, d, name, target):
        patiently(self.put_link, d, name, target)

    def put_link(self, d, name, target):
        st = look_at(d, name)
        if st is not None and is_dir(st):
            remove(d, name, self.heartbeat)
        temporary = self.temporary(name)
        try:
            d.symlink(target, temporary)
            d.rename(temporary, name)
        except OSError:
            ignoring_errors(d.unlink, temporary)
            self.mark = new_mark()  # should another sync have the same
            raise
