def unfit_for_windows(name):
    """Why no entry can have a name on Windows; None if one can. There a name may have other
    meanings, as that of a device or of a stream of a file, or lose its end.
    """
    try:
        name = name.decode("utf-8", "strict" if PY2 else "surrogatepass")
    except UnicodeDecodeError:
        return "EILSEQ: a name on Windows is Unicode"
    if any(c in u'\\:*?"<>|' for c in name):
        return 'EINVAL: a name on Windows cannot have \\ : * ? " < > or | in it'
    if any(c < u" " for c in name):
        return "EINVAL: a name on Windows cannot have control characters in it"
    if name[-1] in u". ":
        return "EINVAL: a name on Windows cannot end with a dot or a space"
    if name.split(u".")[0].rstrip(u" ").upper() in RESERVED:
        return "EINVAL: on Windows this is the name of a device"


unfit = unfit_for_windows if WINDOWS else None
# Whether names that differ by case are taken for one in a dry run, where nothing may be made to
# find it out.
FOLDS_CASE = WINDOWS or sys.platform == "darwin"


def small(names):
    """A list of names in small letters."""
    text = b"\0".join(names)
    try:
        return text.decode("utf-8").lower().encode("utf-8").split(b"\0")
    except UnicodeError:
        return [small([n])[0] for n in names] if len(names) > 1 else [text.lower()]


def is_one_name(d, probe, a, b):
    """Find out whether two names are one in a new directory within d, called probe. If that cannot
    be tried they are taken for two.
    """
    try:
        d.mkdir(probe, 0o700)
        try:
            sub = d.sub(probe)
            try:
                os.close(sub.open(a, CREATE))
                try:
                    return look_at(sub, b) is not None
                finally:
                    sub.unlink(a)
            finally:
                sub.close()
        finally:
            d.rmdir(probe)
    except OSError:
        return False


def new_mark():
    return MARK + b"".join([LETTERS[n & 31:(n & 31) + 1] for n in bytearray(os.urandom(8))])


def is_temporary(name):
    return (name[:1] == b"." and len(name) > 18 and name[-17:-8] == MARK
            and not name[-8:].strip(LETTERS))


def lock(fd, shared=False):
    """Lock an open file without waiting. False: somebody else has locked it. None: files cannot be
    locked here.
    """
    if fcntl is None:
        return None
    try:
        # For an exclusive lock NFS asks for a file that is open for writing.
        fcntl.flock(fd, fcntl.LOCK_NB | (fcntl.LOCK_SH if shared else fcntl.LOCK_EX))
    except (OSError, IOError) as e:
        return False if e.errno in (errno.EWOULDBLOCK, errno.EAGAIN) else None
    return True
