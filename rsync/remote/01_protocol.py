"""The receiving half of rsync for Python workers (docs/protocol.md section 11.5).

For Python 2.7 and 3.6 or newer; serve(channel) is its entry. Below the destination no
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
