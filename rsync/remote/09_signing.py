class Signing(object):
    """How a receiver tells of the content that is there already."""

    def digest_of(self, check):
        sha256 = from_stdlib("hashlib").sha256
        entry, folder, name = check
        digest = sha256()
        try:
            fd = self.hold(folder).open(name, READ)
            try:
                while True:
                    data = os.read(fd, CHUNK)
                    if not data:
                        break
                    digest.update(data)
                    self.heartbeat()
            finally:
                os.close(fd)
        except OSError:
            return put_u32(entry) + b"\0" * 32
        return put_u32(entry) + digest.digest()

    def sign(self, item):
        from zlib import adler32, crc32
        if len(item) != 5:
            raise protocol_error("an S of a wrong length")
        entry, = get_u32(item, 1)
        if (entry not in self.wanted or entry in self.signed or self.wanted[entry][4] is None
                or self.dry):
            raise protocol_error("signatures of entry %d, which cannot be asked for" % entry)
        self.signed.add(entry)
        folder, name, mode, mtime, size, _ = self.wanted[entry]
        length = block_size(size)
        left, first, number, records = size, 0, 0, []
        try:
            fd = self.hold(folder).open(name, READ)
        except OSError:
            fd = None
        try:
            while left and fd is not None:
                data = read_block(fd, min(length, left))
                if not data:
                    break
                records.append(put_pair(adler32(data) & 0xFFFFFFFF, crc32(data) & 0xFFFFFFFF))
                left -= len(data)
                number += 1
                self.heartbeat()
                if len(records) == RECORDS:
                    self.send(b"s" + struct.pack(">II", entry, first) + b"".join(records))
                    first, records = number, []
        finally:
            if fd is not None:
                os.close(fd)
        if records:
            self.send(b"s" + struct.pack(">II", entry, first) + b"".join(records))
        if left or not size:
            self.send(b"s" + struct.pack(">II", entry, number))
