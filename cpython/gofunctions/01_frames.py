"""The functions of a Go worker, as modules of the Python that runs behind it.

gofinder.py executes this in the namespace of the Python worker. A call goes to the Go process over two
pipes of its own, as section 7.11 of protocol.md says. A call that may use channels
goes over the gateway's pipe instead, so that it arrives behind what was sent before; its answers
come over the pipe for calls.

A thread that waits for an answer reads the pipe itself, and hands to the others what is theirs. One
reads at a time: the one that holds _role.
"""
from itertools import count

CALL, RECEIVE, WAITCLOSE, ITEM, ENDED, ERROR, RESULT, CANCEL, ABANDON, WAKE, BROKEN = range(11)
FROM_GO = frozenset([RECEIVE, WAITCLOSE, ITEM, ERROR, RESULT, CANCEL, WAKE, BROKEN])
LOOK = 0.05  # seconds between looks for a cancellation while a thread receives for a Go function
MOST_PARTS = 500  # of one write: systems take 1024 at the most
# How much is read where a small result may come. Memory for 479 bytes is had quickly.
SMALL, LARGER = (479,), (ATOMIC,)
PLAIN = frozenset([int, float, bool, bytes, text, type(None)])
HEAD = struct.Struct("!bii").pack
unpack_value = struct.Struct("!Bi").unpack_from
GONE = "the Go worker has ended"
