"""`execnet dumps` and `execnet loads` compared with execnet's own dumps and loads.

Each example has many values, because starting the command takes longer than its work.
"""
import ast
import struct
import subprocess
import unicodedata

import execnet
import pytest
from execnet import gateway_base
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

# execnet 1.9.0 writes and accepts version byte 1. The bytes after it are the same.
VERSION = execnet.dumps(None)[:1]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# execnet itself cannot dump ints below -2**31; test_ints_below_int32 tests those.
ints = st.integers(-2**31, 2**31 - 1) | st.integers(2**31, 2**200)
floats = st.floats(allow_nan=False)
# Python does not read the repr of a complex with a negative zero back as the same value.
parts = floats.map(lambda x: x or 0.0)
plain = (st.none() | st.booleans() | ints | floats | text | st.binary(max_size=20)
         | st.builds(complex, parts, parts))
hashable = st.recursive(plain, lambda of: st.lists(of, max_size=3).map(tuple)
                        | st.frozensets(of, max_size=3), max_leaves=5)
value = st.recursive(
    plain | hashable,
    lambda of: st.lists(of, max_size=4) | st.lists(of, max_size=4).map(tuple)
    | st.dictionaries(hashable, of, max_size=4) | st.sets(hashable, max_size=4), max_leaves=15)
values = st.lists(value, min_size=1, max_size=40)
examples = settings(max_examples=75, deadline=None,
                    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def same(a, b):
    """Whether values and types are equal at every level. 0.0 and -0.0 differ."""
    if type(a) is not type(b):
        return False
    if type(a) is float:
        return struct.pack("d", a) == struct.pack("d", b)
    if type(a) is complex:
        return same(a.real, b.real) and same(a.imag, b.imag)
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) in (set, frozenset):
        return len(a) == len(b) and all(any(same(x, y) for y in b) for x in a)
    if type(a) is dict:  # in the same order
        return same(list(a.items()), list(b.items()))
    return a == b


NAMES = {"inf": float("inf"), "nan": float("nan"), "infj": complex(0, float("inf")),
         "set": set, "frozenset": frozenset}


def read(literal):
    """The value of a repr. ast.literal_eval reads all but a few names."""
    try:
        return ast.literal_eval(literal)
    except ValueError:
        assert set(n.id for n in ast.walk(ast.parse(literal)) if isinstance(n, ast.Name)) <= set(NAMES)
        return eval(literal, {"__builtins__": {}}, dict(NAMES))


def has_unordered(value):
    """Whether value holds a set of several items, which dumpers may write in any order."""
    if type(value) in (set, frozenset):
        return len(value) > 1 or any(map(has_unordered, value))
    if type(value) is dict:
        return any(map(has_unordered, value.items()))
    return type(value) in (list, tuple) and any(map(has_unordered, value))


def has_unknown(line):
    """Whether line shows a character that this Python does not know, for its Unicode is older."""
    return any(unicodedata.category(c) == "Cn" for c in line)


@examples
@given(values)
def test_loads_reads_what_execnet_dumps(run, values):
    lines = run("loads", "--all", stdin=b"".join(execnet.dumps(v) for v in values)).decode().split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(values)
    for line, v in zip(lines, values):
        # Compared with what repr gives, because Python does not read complex(0, -0.0) back exactly.
        assert same(read(line), read(repr(v))), line
        assert has_unordered(v) or has_unknown(line) or line == repr(v)


@examples
@given(values)
def test_execnet_loads_what_dumps_writes(run, values):
    dumped = run("dumps", stdin=repr(values).encode())
    assert dumped[:1] == b"\x02"
    back = execnet.loads(VERSION + dumped[1:])
    # The command reads a repr as Python does, so the value is what Python reads from it.
    assert same(back, read(repr(values)))
    if not has_unordered(values):
        assert dumped[1:] == execnet.dumps(read(repr(values)))[1:]


@examples
@given(values)
def test_the_command_reads_itself(run, values):
    literal = run("loads", stdin=run("dumps", stdin=repr(values).encode())).decode()
    # Read once more, because Python does not read a complex with a negative zero back exactly.
    assert same(read(literal), read(repr(read(repr(values)))))


@pytest.mark.parametrize("n", [-2**31 - 1, -2**63, -2**63 - 1, -10**100])
def test_ints_below_int32(run, n):
    with pytest.raises(struct.error):
        execnet.dumps(n)  # if this stops failing, the strategy ints above can include such ints
    dumped = run("dumps", stdin=b"%d" % n)
    assert same(execnet.loads(VERSION + dumped[1:]), n)
    assert same(read(run("loads", stdin=dumped).decode()), n)


def test_not_a_number(run):
    dumped = run("dumps", stdin=b"[nan, -nan]")
    for back in execnet.loads(VERSION + dumped[1:]):
        assert type(back) is float and back != back
    assert run("loads", stdin=execnet.dumps([float("nan")])) == b"[nan]\n"


def test_internal_form(run):
    """The internal form, used in messages, has no version byte."""
    value = {"a": [1, (2.5, b"x")], None: frozenset([3])}
    internal = run("dumps", "--internal", stdin=repr(value).encode())
    assert gateway_base.loads_internal(internal) == value
    assert internal == gateway_base.dumps_internal(value) == execnet.dumps(value)[1:]
    assert read(run("loads", "--internal", stdin=internal).decode()) == value


@pytest.mark.parametrize("length", [10**5, 5 * 10**6])
def test_long_values(run, length):
    for value in (b"\xff" * length, "\u20ac" * (length // 10), list(range(length // 50))):
        dumped = run("dumps", stdin=repr(value).encode())
        assert dumped[1:] == execnet.dumps(value)[1:]
        assert read(run("loads", stdin=dumped).decode()) == value


@pytest.mark.parametrize("literal", [b"", b"[1", b"x", b"1 2", b"f()", b"{[]: 1}", b"{{}}", b"'\\ud800'", b"__import__('os')"])
def test_dumps_refuses(command, literal):
    done = subprocess.run([command, "dumps"], input=literal, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"execnet dumps: ")


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x02Q", b"\x02N\0\0\0\x05ab", b"\x02F\0\0", b"\x02zQ", b"\x02LQL"])
def test_loads_refuses_what_execnet_does(command, data):
    done = subprocess.run([command, "loads"], input=data, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.startswith(b"execnet loads: ")
    if data != b"\x02LQL":  # execnet ignores what follows a value
        with pytest.raises((execnet.DataFormatError, EOFError, struct.error)):
            execnet.loads(VERSION + data[1:] if data else data)


def test_versions(run, command):
    """The command reads versions 1 (execnet 1.9.0) and 2. Each release reads only its own."""
    for version in b"\x01", b"\x02":
        assert run("loads", stdin=version + b"LQ") == b"None\n"
        if version != VERSION:
            with pytest.raises(execnet.DataFormatError):
                execnet.loads(version + b"LQ")
    done = subprocess.run([command, "loads"], input=b"\x03LQ", capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"version 3" in done.stderr
