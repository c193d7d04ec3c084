"""The Python side of a gateway: serves execnet's protocol on a pipe or a socket.

For Python 2.7 and for 3.6 and newer. The parts in this folder are joined to one source, in the order
of their names. It runs both as text given to exec() and as an imported module. It only defines
things; a caller then calls serve_popen or serve_socket. The modules imported here are those that an
interpreter loads at its start anyway.
"""
import os
import sys
import time

import _struct as struct
from _collections import deque
from _weakref import ref

PY2, PYPY = sys.version_info[0] == 2, hasattr(sys, "pypy_version_info")
over = []  # not empty when the interpreter is about to end
if PY2:
    import thread as _thread
    from itertools import imap as map

    def start_thread(func, args, start=_thread.start_new_thread, over=over):
        """Start a thread. Python 2 clears the names of modules while threads still run, and prints
        what they fail with then: that is no error, and whoever reads stderr should not see it.
        """
        def call():
            try:
                func(*args)
            except Exception:
                if not over:
                    raise
        return start(call, ())
else:
    import _thread
    long, start_thread = int, _thread.start_new_thread
text = type(u"")
# These are bound here because gevent and eventlet replace them in their modules.
now, sleep = getattr(time, "monotonic", time.time), time.sleep
getpid = os.getpid  # a test of remote code may replace it
allocate = _thread.allocate_lock
unpack_head = struct.Struct("!bii").unpack_from
unpack_item = struct.Struct("!biiBi").unpack_from
unpack_i4 = struct.Struct("!i").unpack_from
unpack_f8 = struct.Struct("!d").unpack_from
unpack_part = struct.Struct("!Bi").unpack_from  # opcode, value or length
unpack_call = struct.Struct("!BiBi").unpack_from
pack_i4 = struct.Struct("!ci").pack
pack_head = struct.Struct("!bii").pack
pack_int = struct.Struct("!biicic").pack  # header, opcode, value, STOP
pack_text = struct.Struct("!biici").pack  # header, opcode, length
pack_answer = struct.Struct("!biicici").pack  # header, opcode, number, opcode, value or length

STATUS, RECONFIGURE, GATEWAY_TERMINATE, CHANNEL_EXEC = 0, 1, 2, 3
CHANNEL_DATA, CHANNEL_CLOSE, CHANNEL_CLOSE_ERROR, CHANNEL_LAST_MESSAGE = 4, 5, 6, 7
CODES = ("STATUS RECONFIGURE GATEWAY_TERMINATE CHANNEL_EXEC CHANNEL_DATA CHANNEL_CLOSE "
         "CHANNEL_CLOSE_ERROR CHANNEL_LAST_MESSAGE").split()
INTERRUPT_TEXT = "keyboard-interrupted"
SERVE_CALLS = "execnet/calls.py", "serve_calls"  # the program that asks for a channel for calls
MAIN_THREAD_ONLY_DEADLOCK_TEXT = (
    "concurrent remote_exec would cause deadlock for main_thread_only execmodel")
MAIN = _thread.get_ident()  # the thread in which signal handlers run
NO_ENDMARKER_WANTED = object()
ENDMARKER = object()
WINDOW_ITEM = 8
NOWAIT, WAITING = (False,), (True,)  # what locks are acquired with (see Locked)
CHUNK = 65536
LARGE = 4 * CHUNK
ATOMIC = 4096  # a write of up to this many bytes to a pipe is whole or fails whole
GRACE = 0.003  # seconds: when nobody has read for so long, the background thread reads
# A worker that has a process of its own is gone so many seconds after the end of its stream, at the
# latest: LEAVE if a thread of it can run, by os._exit, else KILL, by a signal.
LEAVE = 18.0
KILL = 19.0
# The same behind a Go worker that has died, and so has not sent GATEWAY_TERMINATE: it would have
# died together with this process if both were one.
LEAVE_BEHIND = 1.0
KILL_BEHIND = 2.0
REST = 0 if PY2 else 5.0  # seconds: how long a thread waits for another call
# So many bytes of items that nobody has received may wait for each channel, where both ends know
# that (protocol.md section 5.7). After PATIENCE seconds in which the other end has taken nothing it
# is sent as much again.
WINDOW = 1 << 24
PATIENCE = 5.0
ANY = 1 << 62  # bytes
MAX_COST = int(os.environ.get("EXECNET_MAX_COST") or 24)  # the memory of an item, in times its size

DEBUG = os.environ.get("EXECNET_DEBUG")
trace = None
if DEBUG:
    def trace(*msg):
        try:
            line = " ".join(map(str, msg)) + "\n"
            if DEBUG == "2":
                tell("[%d] %s" % (os.getpid(), line))
            else:
                trace_to_file(line)
        except Exception:
            pass  # the interpreter is shutting down

    def trace_to_file(line, state={}):
        """Write to a file with the name that execnet gives to its own.

        When remote code imports execnet, that opens the same file anew, and empties it. From then
        on both write to it through execnet's file object, which begins with the first line again:
        it says whose file this is.
        """
        if not state:
            name = "execnet-debug-%d" % os.getpid()
            folder = stdlib("tempfile").gettempdir()
            state.update(file=open(os.path.join(folder, name), "w"), first=line)
        theirs = getattr(sys.modules.get("execnet.gateway_base"), "debugfile", None)
        if theirs not in (None, state["file"]):
            state["file"] = theirs
            if line is not state["first"]:
                theirs.write(state["first"])
        state["file"].write(line)
        state["file"].flush()
