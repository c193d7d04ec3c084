"""Judges serialized values with the installed execnet.

A request on stdin and its answer on stdout are frames: a big-endian length, then so many bytes, which hold fields that
are framed in the same way. The first field of a request is the command:

load   each further field is a dump; answers for each its description (or "error: ...") and execnet's own dump of the
       loaded value (empty when execnet cannot dump it)
make   the further fields are a seed and a count, in decimal; answers with that many pairs of dump and description
repr   each further field is a dump; answers with the repr of each value
"""

import random
import struct
import sys

import execnet

stdin, stdout = sys.stdin.buffer, sys.stdout.buffer


def describe(value):
    """Text that is equal for two values exactly when they and all their types are."""
    kind = type(value)
    if value is None:
        return "none"
    if kind in (bool, int):
        return "%s %d" % (kind.__name__, value)
    if kind is float:
        return "float " + struct.pack("!d", value).hex()
    if kind is complex:
        return "complex " + struct.pack("!dd", value.real, value.imag).hex()
    if kind is str:
        return "str " + value.encode("utf-8").hex()
    if kind is bytes:
        return "bytes " + value.hex()
    if kind in (list, tuple):
        return "%s [%s]" % (kind.__name__, ", ".join(map(describe, value)))
    if kind in (set, frozenset):
        return "%s [%s]" % (kind.__name__, ", ".join(sorted(map(describe, value))))
    if kind is dict:
        return "dict [%s]" % ", ".join(describe(k) + ": " + describe(v) for k, v in value.items())
    raise TypeError(kind)


TEXT = "aZ09 '\"\\\n\x00\x7f\xe4\u20ac\U0001f40d"


def make(rnd, depth, hashable=False):
    """A random value."""
    leaves = [
        lambda: None,
        lambda: rnd.random() < 0.5,
        lambda: rnd.randrange(-3, 4),
        lambda: rnd.choice([0, 255, 256, 2**31 - 1, -(2**31), 2**31, 2**63 - 1, 2**63, 10**30]),
        lambda: float(rnd.randrange(-3, 4)),
        lambda: rnd.choice([0.1, -0.0, 1e300, 5e-324, 2.0**63, 2.0**80, float("inf"), -float("inf")]),
        lambda: complex(rnd.randrange(-2, 3), rnd.choice([0, 0, 1.5])),
        lambda: "".join(rnd.choice(TEXT) for _ in range(rnd.randrange(6))),
        lambda: bytes(rnd.randrange(256) for _ in range(rnd.randrange(6))),
        lambda: rnd.choice(["1", b"1", "", b"", (), frozenset()]),
    ]
    if depth == 0 or rnd.random() < 0.3:
        return rnd.choice(leaves)()
    size = rnd.choice([0, 1, 2, 3, 3, 12])
    items = lambda of: [make(rnd, depth - 1, of) for _ in range(size)]
    compounds = [lambda: tuple(items(hashable)), lambda: frozenset(items(True))]
    if not hashable:
        compounds += [
            lambda: items(False),
            lambda: set(items(True)),
            lambda: {make(rnd, depth - 1, True): make(rnd, depth - 1) for _ in range(size)},
        ]
    return rnd.choice(compounds)()


def load(data):
    try:
        value = execnet.loads(data)
    except Exception as exc:
        return ["error: %r" % exc, b""]
    try:
        again = execnet.dumps(value)
    except struct.error:
        again = b""
    return [describe(value), again]


def answer(command, fields):
    if command == b"load":
        return [part for data in fields for part in load(data)]
    if command == b"repr":
        return [repr(execnet.loads(data)) for data in fields]
    rnd = random.Random(int(fields[0]))
    values = [make(rnd, 4) for _ in range(int(fields[1]))]
    return [part for value in values for part in (execnet.dumps(value), describe(value))]


def unframe(data):
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("!I", data, at)
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def frame(part):
    part = part.encode("ascii", "backslashreplace") if isinstance(part, str) else part
    return struct.pack("!I", len(part)) + part


while True:
    head = stdin.read(4)
    if len(head) < 4:
        break
    command, *fields = unframe(stdin.read(struct.unpack("!I", head)[0]))
    stdout.write(frame(b"".join(map(frame, answer(command, fields)))))
    stdout.flush()
