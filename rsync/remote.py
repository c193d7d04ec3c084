"""The receiving half of rsync for Python workers (docs/protocol.md section 11.5).

One file for Python 2.7 and 3.6 or newer; serve(channel) is its entry. Below the destination no
symbolic link is followed, also if somebody puts one in the place of a directory meanwhile.
Directories are kept open and their entries are reached through descriptors: with Python 3 by the
argument dir_fd (HeldDir), with Python 2 on Linux through /proc (ProcDir). Elsewhere each directory
is checked before it is used by its path, and is refused if others can change it; on Windows that
cannot be seen (PathDir).
"""
import errno
import os
import stat
import sys
import time
try:
    import fcntl
except ImportError:
    fcntl = None  # Windows

import _struct as struct

# Numbers of the protocol: flags of a hello and of a tree block, wants, operations of a content
# record, severities of errors, kinds of entries.
VERSION = 1
DELETE, DRY_RUN, DELTA = 1, 2, 4
LAST, INCOMPLETE = 1, 2
CONTENT, DIFFERS, CHECK = 1, 2, 3
WHOLE, DATA, COPY, END, CHANGED, SAME, GONE, HERE = range(8)
WARNING, ENTRY, FATAL = range(3)
FILE, DIR, LINK, LINK_BASE, OTHER = bytearray(b"fdlbo")
NO_ENTRY = 0xFFFFFFFF
MAX_ITEM = 2 << 20
MAX_NAME = 4096
CHUNK = 256 << 10
ACK_AFTER = 256 << 10
DELTA_FROM = 64 << 10
HERE_PIECE = 8 << 20
RECORDS = 32768  # signatures or digests in an item
HEARTBEAT = 10  # seconds after which a busy receiver shows that it is alive
# A temporary file is called .NAME.execnet-XXXXXXXX with random letters. Its sync keeps it locked
# until it has its real name, so that one that can be locked was left by a killed sync. Where files
# cannot be locked, it was left if nothing has changed it for LEFTOVER_AGE seconds.
MARK = b".execnet-"
LEFTOVER_AGE = 3600
# Another sync may change the same directories: so often is something tried before its error counts.
ATTEMPTS = 10
IN_THE_WAY = errno.EEXIST, errno.ENOTEMPTY, errno.EISDIR, errno.ENOTDIR
LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

PY2 = sys.version_info[0] == 2
WINDOWS = sys.platform == "win32"
BY_DESCRIPTOR = (not PY2 and os.open in os.supports_dir_fd and os.listdir in os.supports_fd
                 and hasattr(os, "O_NOFOLLOW"))
# By how many nanoseconds times may differ and still be the same, since this Python or system cannot
# keep them exactly.
INEXACT = 2000 if PY2 else 100 if WINDOWS else 0
BINARY = getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOINHERIT", 0)
READ = os.O_RDONLY | BINARY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
CREATE = os.O_RDWR | os.O_CREAT | os.O_EXCL | BINARY
DOTS = b".", b".."
RESERVED = ("CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$") + tuple(
    a + b for a in ("COM", "LPT") for b in u"123456789\xb9\xb2\xb3")

get_hello = struct.Struct(">HI").unpack_from
get_block = struct.Struct(">IBIII").unpack_from
get_entry = struct.Struct(">BIqQ").unpack_from
get_record = struct.Struct(">IBI").unpack_from
get_u32 = struct.Struct(">I").unpack_from
get_identity = struct.Struct(">5Q").unpack_from
get_pair = struct.Struct(">II").unpack_from
put_want = struct.Struct(">IBQ").pack
put_u32 = struct.Struct(">I").pack
put_pair = struct.Struct(">II").pack


# This module's worker imports from the standard library alone: in the user's folder, which is
# searched first, may be a file of the same name.
from_stdlib = __import__


class Fatal(Exception):
    """Ends the sync. The driver gets its text, and the path if it is about an entry."""

    def __init__(self, text, path=b""):
        Exception.__init__(self, text)
        self.path = path


def protocol_error(text):
    return Fatal("what came is not the protocol: " + text)


def refused(name):
    return Fatal("refusing the name %r: it is not that of a directory's entry" % (name,))


def explain(error):
    """The system's message for an error, after its POSIX name."""
    code = errno.errorcode.get(error.errno)
    text = error.strerror or str(error)
    return "%s: %s" % (code, text) if code else text


def mtime_ns(st):
    return int(st.st_mtime * 1e9) if PY2 else st.st_mtime_ns


def is_dir(st):
    """Whether it is a true directory; a junction of Windows is a link."""
    return stat.S_ISDIR(st.st_mode) and not getattr(st, "st_file_attributes", 0) & 0x400


def version(st):
    """What tells a file from another one, and its content from an earlier one."""
    if st is not None and stat.S_ISREG(st.st_mode):
        return st.st_dev, st.st_ino, st.st_size, mtime_ns(st)


def same_mode(st, mode):
    kept = 0o200 if WINDOWS else 0o7777
    return (st.st_mode ^ mode) & kept == 0


def write_all(fd, data):
    n = os.write(fd, data)
    if n < len(data):
        data = memoryview(data)
        while n < len(data):
            n += os.write(fd, data[n:])


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


class Part(object):
    """A file that comes in several pieces.

    fd is that of the new file. old, the file whose blocks are copied, and digest, that of what was
    written, are None unless signatures were asked for.
    """
    fd = old = digest = None


class Receiver(object):

    def __init__(self, channel):
        self.send, self.receive = channel.send, channel.receive
        self.folders = []  # all of them
        self.unfinished = {}  # folders whose last block has not come
        self.open_dirs = []  # (folder, directory) from the destination down to the one used last
        self.checked = True  # PathDir: open_dirs were checked since the last item came
        self.above = None  # the directory of a destination that is a file
        self.count = 0  # entries announced
        self.wanted = {}  # entry: (folder, name, mode, mtime, size there)
        self.failed = set()  # entries given up here, of which the driver still sends contents
        self.signed = set()  # entries whose signatures were asked for
        self.again = set()  # entries asked for once more
        self.links = []
        self.part = None
        self.processed = self.acked = 0
        self.last_beat = time.time()
        self.deleted, self.deleted_size = [], 0
        self.written = self.touched = self.made = self.linked = 0
        self.removed = self.failures = self.received = self.copied = 0
        self.mark = new_mark()

    def run(self):
        try:
            try:
                self.hello(self.item())
                self.items()
                self.finish()
            except Fatal as e:
                self.error(FATAL, NO_ENTRY, e.path, str(e))
        finally:
            self.discard()
            self.shrink(0)

    def item(self):
        item = self.receive()
        self.checked = False
        if type(item) is not bytes or not 0 < len(item) <= MAX_ITEM:
            raise protocol_error("an item that is no byte string of at most 2 MiB")
        return item

    def items(self):
        finishing = False
        while not finishing or self.again:
            item = self.item()
            kind = item[:1]
            try:
                if kind == b"C":
                    self.contents(item)
                elif kind == b"T" and not finishing:
                    self.tree(item)
                elif kind == b"S" and not finishing:
                    self.sign(item)
                elif kind == b"F" and not finishing:
                    if len(item) != 1:
                        raise protocol_error("an F of a wrong length")
                    if not self.count or self.unfinished:
                        raise protocol_error("the end before the whole tree has come")
                    if not self.dry and (self.failed or self.part
                                         or len(self.wanted) > len(self.again)):
                        raise protocol_error("the end before all contents have come")
                    finishing = True
                else:
                    raise protocol_error("an item of kind %r at this point" % (kind,))
            except struct.error:
                raise protocol_error("an item that ends too early")

    def error(self, severity, entry, path, text):
        if not isinstance(text, bytes):
            text = text.encode("utf-8", "replace")
        self.send(b"e" + struct.pack(">BI", severity, entry) + path + b"\0" + text)

    def report(self, entry, path, error, severity=ENTRY):
        """Tell the driver that an entry failed; a full disk ends the sync."""
        if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
            raise Fatal(explain(error), path)
        if severity == ENTRY:
            self.failures += 1
        self.error(severity, entry, path, explain(error))

    # -- directories

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

    # -- hello and tree

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

    # -- what is there already

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

    # -- contents

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

    # -- the end

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


if BY_DESCRIPTOR:
    NewDir = HeldDir
elif sys.platform.startswith("linux") and os.path.isdir("/proc/self/fd"):
    NewDir = ProcDir
else:
    NewDir = PathDir


def serve(channel):
    global from_stdlib
    from_stdlib = getattr(channel.gateway, "_from_stdlib", from_stdlib)
    Receiver(channel).run()
