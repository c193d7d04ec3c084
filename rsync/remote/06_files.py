def ignoring_errors(f, *args):
    """Clean up after an error, which is the one that is reported."""
    try:
        f(*args)
    except (OSError, IOError):
        pass


def read_some(fd, length):
    """Read up to length bytes; none if that fails, as for a directory that has replaced a file."""
    try:
        return os.read(fd, length)
    except OSError:
        return b""


def read_block(fd, length):
    """Read length bytes, or none if there are fewer."""
    data = read_some(fd, length)
    while len(data) < length:
        more = read_some(fd, length - len(data))
        if not more:
            return b""
        data += more
    return data


def identity(fd):
    """What distinguishes an open file from all others of this machine, and its content from an
    earlier one; None if it is no file or this Python cannot tell.
    """
    st = os.fstat(fd)
    if not PY2 and stat.S_ISREG(st.st_mode):
        return tuple(n & 0xFFFFFFFFFFFFFFFF for n in (
            st.st_dev, st.st_ino, st.st_size, st.st_mtime_ns, st.st_ctime_ns))


def copy_bytes(source, fd, n):
    """Copy up to n bytes, within the kernel if it can, and return how many."""
    try:
        return os.sendfile(fd, source, None, n)
    except (AttributeError, TypeError):
        pass  # this system's os has none, or one with other arguments
    except OSError as e:
        if e.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSOCK, errno.EOPNOTSUPP):
            raise
    data = os.read(source, min(n, 1 << 20))
    write_all(fd, data)
    return len(data)


def block_size(size):
    def up(n):
        return (n + 1023) // 1024 * 1024
    # As integers: a float's square root is off by one above 2 ** 52.
    root = int(size ** 0.5)
    while root * root > size:
        root -= 1
    while (root + 1) * (root + 1) <= size:
        root += 1
    return max(2048, up(root), up((size + (1 << 20) - 1) >> 20))
