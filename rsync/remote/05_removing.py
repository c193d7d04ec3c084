def look_at(d, name):
    """The lstat of an entry of d, None if there is none."""
    try:
        return d.lstat(name)
    except OSError as e:
        if e.errno != errno.ENOENT:
            raise


def patiently(f, *args):
    """Call f, which puts something in the place of what has its name. Call it again for about a
    second while something is in the way, which another sync may have put there meanwhile.
    """
    for i in range(ATTEMPTS):
        try:
            return f(*args)
        except OSError as e:
            if e.errno not in IN_THE_WAY:
                raise
        time.sleep(0.001 * 2 ** i)
    return f(*args)


def remove(d, name, heartbeat):
    """Remove an entry of d and all below it, but for the temporary files of other syncs. ENOTEMPTY
    says that another sync is writing to it. That it is not there is no error.
    """
    attempts = 0
    while True:
        attempts += 1
        try:
            return remove_once(d, name, heartbeat)
        except OSError as e:
            if not (e.errno == errno.ENOENT and attempts < ATTEMPTS
                    or e.errno in (errno.ENOTEMPTY, errno.EEXIST) and attempts < 3):
                raise


def remove_once(d, name, heartbeat):
    """No link is followed, and there is no recursion, so that a deep tree cannot exhaust the stack.
    heartbeat is called for each entry.
    """
    st = look_at(d, name)
    if st is None:
        return
    if not is_dir(st):
        d.unlink(name)
        return
    stack = []
    try:
        while True:
            if name is not None:  # a directory, which is emptied first
                if st.st_mode & 0o700 != 0o700:
                    d.chmod(name, 0o700)
                sub = d.sub(name)
                stack.append((d, name, sub, list(sub.names())))
            d, name, sub, names = stack[-1]
            if not names:
                stack.pop()
                sub.close()
                d.rmdir(name)
                if not stack:
                    return
                name = None
                continue
            heartbeat()
            d, name = sub, names.pop()
            if is_temporary(name):
                remove_leftover(d, name, heartbeat)
                name = None
                continue
            st = d.lstat(name)
            if not is_dir(st):
                d.unlink(name)
                name = None
    finally:
        for d, name, sub, names in stack:
            sub.close()


def is_old(st):
    """Whether a temporary file that cannot be locked was left."""
    return time.time() - max(st.st_mtime, st.st_ctime) > LEFTOVER_AGE


def remove_leftover(d, name, heartbeat):
    """Remove what has the name of a temporary file, unless a sync is writing it."""
    st = look_at(d, name)
    if st is None:
        return
    fd = None
    try:
        # The sync that has made a temporary link makes it again if it is missing.
        if stat.S_ISREG(st.st_mode):
            left = None
            if fcntl is not None:
                try:
                    fd = d.open(name, READ)
                    left = lock(fd, True)
                except OSError as e:
                    if e.errno == errno.ENOENT:
                        return
            if left is None:
                left = is_old(st)
            if not left:
                return
        remove(d, name, heartbeat)
    finally:
        if fd is not None:
            os.close(fd)  # which unlocks it: not before it is removed
