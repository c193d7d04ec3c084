class Part(object):
    """A file that comes in several pieces.

    fd is that of the new file. old, the file whose blocks are copied, and digest, that of what was
    written, are None unless signatures were asked for.
    """
    fd = old = digest = None


class Contents(object):
    """How a receiver writes the contents that come, and puts new files in their places."""

    def contents(self, item):
        count, = get_u32(item, 1)
        size = len(item)
        record, pos = 5, 5 + 9 * count
        if pos > size:
            raise protocol_error("contents of a wrong length")
        view = memoryview(item)
        for _ in range(count):
            entry, op, length = get_record(item, record)
            record += 9
            end = pos + length
            if end > size or op > HERE:
                raise protocol_error("contents of a wrong length, or with an unknown op")
            self.content(entry, op, view[pos:end])
            pos = end
        if pos != size:
            raise protocol_error("contents of a wrong length")
        self.processed += size
        if self.processed - self.acked >= ACK_AFTER:
            self.ack()

    def ack(self):
        if self.acked != self.processed:
            self.acked = self.processed
            self.send(b"a" + struct.pack(">Q", self.processed))

    def heartbeat(self):
        """To be called while busy: repeats the last acknowledgement every HEARTBEAT seconds."""
        if not 0 <= time.time() - self.last_beat < HEARTBEAT:
            self.last_beat = time.time()
            self.send(b"a" + struct.pack(">Q", self.acked))

    def content(self, entry, op, data):
        if entry in self.failed:
            if op != DATA and op != COPY:
                self.failed.remove(entry)
                self.again.discard(entry)
            return
        want = self.wanted.get(entry)
        part = self.part
        if want is None or part is not None and (part.entry != entry or op in (WHOLE, SAME, HERE)):
            raise protocol_error("contents of entry %d at this point" % entry)
        if self.dry:
            raise protocol_error("contents in a dry run")
        if op == DATA or op == WHOLE:
            self.received += len(data)
        try:
            if op == WHOLE:
                self.within(want[0], self.make, want, write_all, data)
            elif op == SAME:
                if not self.same(entry, want, data.tobytes()):
                    return
            elif op == GONE:
                self.discard()
            elif op == HERE:
                if not self.here(entry, want, data.tobytes()):
                    return
            else:
                if part is None:
                    part = self.begin(entry, want)
                if op == DATA:
                    write_all(part.fd, data)
                    if part.digest is not None:
                        part.digest.update(data)
                    return
                if op == COPY:
                    self.copy(part, want, data)
                    return
                if not self.end(part, want, data):
                    return
        except (OSError, IOError) as e:
            self.discard()
            if op == DATA or op == COPY:
                self.failed.add(entry)
            self.report(entry, want[0].path(want[1]), e)
        if entry not in self.failed:
            self.again.discard(entry)
        del self.wanted[entry]
        self.signed.discard(entry)

    def temporary(self, name):
        if len(name) > 100:
            end = 100
            while end > 96 and name[end:end + 1] >= b"\x80" and name[end:end + 1] < b"\xc0":
                end -= 1
            name = name[:end]
        return b"." + name + self.mark

    def create(self, d, name):
        """Make a temporary file, locked until it is closed, and return its descriptor and name."""
        while True:
            temporary = self.temporary(name)
            try:
                fd = d.open(temporary, CREATE)
            except OSError as e:
                if e.errno != errno.EEXIST:
                    raise
            else:
                locked = lock(fd)
                if locked is None or locked and os.fstat(fd).st_nlink:
                    return fd, temporary
                # Another sync has taken it for a leftover before it was locked.
                os.close(fd)
                ignoring_errors(d.unlink, temporary)
            self.mark = new_mark()

    def make(self, d, want, write, *args):
        """Make a file of what write(fd, *args) writes, unless that returns False."""
        fd, temporary = self.create(d, want[1])
        try:
            try:
                complete = write(fd, *args) is not False
            except:
                os.close(fd)
                raise
            if complete:
                self.place(d, fd, temporary, want)
                self.written += 1
                return True
            os.close(fd)
        except:  # an interrupt included
            ignoring_errors(d.unlink, temporary)
            raise
        ignoring_errors(d.unlink, temporary)
        return False

    def place(self, d, fd, temporary, want):
        """Complete a new file and give it its name; fd is closed in any case."""
        folder, name, mode, mtime = want[:4]
        closed = False
        try:
            closed = d.complete(fd, temporary, mode, mtime)
            patiently(self.rename, d, folder, temporary, name)
        finally:
            if not closed:
                os.close(fd)  # last, as this unlocks it

    def rename(self, d, folder, temporary, name):
        try:
            d.rename(temporary, name)
        except OSError:
            # A directory cannot be replaced by a file; anything else in the way can.
            st = look_at(d, name)
            if folder is self.above or st is None or not is_dir(st):
                raise
            remove(d, name, self.heartbeat)
            d.rename(temporary, name)

    def begin(self, entry, want):
        part = Part()
        part.entry, part.folder = entry, want[0]
        part.fd, part.temporary = self.within(want[0], self.create, want[1])
        self.part = part
        if entry in self.signed:
            part.digest = from_stdlib("hashlib").sha256()
            try:
                part.old = self.hold(want[0]).open(want[1], READ)
            except OSError:
                pass  # the result will be wrong, which the digest shows at the end
        return part

    def copy(self, part, want, data):
        if part.digest is None or len(data) % 8:
            raise protocol_error("blocks of a file whose signatures were not asked for")
        size = want[4]
        length = block_size(size)
        pairs = bytes(data) if not PY2 else data.tobytes()
        for at in range(0, len(pairs), 8):
            first, number = get_pair(pairs, at)
            start, end = first * length, min((first + number) * length, size)
            if not number or (first + number - 1) * length >= size:
                raise protocol_error("blocks that the file does not have")
            if part.old is None:
                continue
            os.lseek(part.old, start, os.SEEK_SET)
            while start < end:
                block = read_some(part.old, min(CHUNK, end - start))
                if not block:
                    break
                write_all(part.fd, block)
                part.digest.update(block)
                self.heartbeat()
                start += len(block)
                self.copied += len(block)

    def end(self, part, want, data):
        """Complete a file that came in pieces; False if it was asked for again."""
        if len(data) != (0 if part.digest is None else 32):
            raise protocol_error("the end of a file with a digest that was not wanted, "
                                 "or without one")
        if part.digest is not None and part.digest.digest() != data:
            self.discard()
            self.ask_again(part.entry, want)
            return False
        if part.old is not None:
            old, part.old = part.old, None
            os.close(old)  # Windows replaces no file that is open
        d = self.hold(part.folder)
        fd, part.fd = part.fd, None
        self.place(d, fd, part.temporary, want)
        self.written += 1
        part.temporary = None
        self.discard()
        return True

    def ask_again(self, entry, want):
        """Ask the driver to send a file whole, since what came for it cannot be used."""
        self.signed.discard(entry)
        self.again.add(entry)
        # From now on no signatures may be asked for: the file here was of no use.
        self.wanted[entry] = want[:4] + (None, None)
        self.send(b"g" + put_u32(entry))

    def here(self, entry, want, data):
        """Copy a file of this machine; False if the driver was asked to send it. Its bytes count as
        processed in any case.
        """
        known = get_identity(data)
        if len(data) == 40 or known[2] >> 63:
            raise protocol_error("a file to be copied of a wrong form")
        end = self.processed + known[2]
        try:
            source = os.open(data[40:], READ)
        except (OSError, ValueError):
            source = None
        try:
            if (source is not None and identity(source) == known
                    and self.make(self.hold(want[0]), want, self.copy_here, source, known)):
                return True
        except OSError as e:
            if e.errno != errno.ENOENT:
                raise
            # Its directory has vanished; what is sent goes into a new one.
        finally:
            self.processed = end
            if source is not None:
                os.close(source)
        self.ask_again(entry, want)
        return False

    def copy_here(self, fd, source, known):
        left = known[2]
        while left:
            n = copy_bytes(source, fd, min(left, HERE_PIECE))
            if not n or identity(source) != known:
                return False
            left -= n
            self.received += n
            self.processed += n
            self.ack()
        return True

    def discard(self):
        """Give up the file that is coming in pieces, if there is one."""
        part, self.part = self.part, None
        if part is None:
            return
        for fd in (part.fd, part.old):
            if fd is not None:
                ignoring_errors(os.close, fd)
        if part.temporary is not None:
            ignoring_errors(lambda: self.hold(part.folder).unlink(part.temporary))

    def same(self, entry, want, digest):
        """Set mode and time of a file whose content is right. False if the digest shows that it is
        not; the file was asked for again then.
        """
        folder, name, mode, mtime, size, there = want
        signed = entry in self.signed
        if size is None or len(digest) != (32 if signed else 0):
            raise protocol_error("a file of which nothing is there called the same, "
                                 "or a digest not wanted, or none")
        if (signed and self.digest_of((entry, folder, name))[4:] != digest
                or not self.within(folder, self.touch, name, mode, mtime, there)):
            self.ask_again(entry, want)
            return False
        self.touched += 1
        return True

    def touch(self, d, name, mode, mtime, there):
        """Set mode and time of a file; False if it is not that version of it any more."""
        st = look_at(d, name)
        if version(st) != there:
            return False
        if not same_mode(st, mode):
            d.chmod(name, mode)
        d.utime(name, int(st.st_atime * 1e9) if PY2 else st.st_atime_ns, mtime)
        return True
