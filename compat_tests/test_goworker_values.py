"""Values of every type from pip's execnet to a Go worker and back."""
import struct

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from conftest import WAIT, error

CHANNEL_DATA = 4

# execnet itself cannot send ints below -2**31; those are in test_ints_that_execnet_cannot_send.
INTS = st.integers(min_value=-2**31, max_value=2**200) | st.sampled_from(
    [-2**31, 2**31 - 1, 2**31, 2**63 - 1, 2**63, 2**64, 10**4299])
HASHABLE = st.recursive(
    st.none() | st.booleans() | INTS | st.floats() | st.complex_numbers() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4).map(tuple) | st.frozensets(inner, max_size=4),
    max_leaves=5)
VALUES = st.recursive(
    HASHABLE,
    lambda inner: st.lists(inner, max_size=5) | st.lists(inner, max_size=5).map(tuple)
    | st.dictionaries(HASHABLE, inner, max_size=5) | st.sets(HASHABLE, max_size=5),
    max_leaves=20)
NAN = float("nan")


def form(value):
    """A text that is equal for two values if they, their types and the order of dicts are equal."""
    kind = type(value).__name__
    if isinstance(value, (float, complex)):
        return "%s %r" % (kind, value) if value != value else kind + struct.pack(
            "!dd", value.real, value.imag).hex()
    if isinstance(value, (list, tuple)):
        return "%s(%s)" % (kind, ", ".join(map(form, value)))
    if isinstance(value, (set, frozenset)):
        return "%s(%s)" % (kind, ", ".join(sorted(map(form, value))))
    if isinstance(value, dict):
        return "dict(%s)" % ", ".join("%s: %s" % (form(k), form(v)) for k, v in value.items())
    return "%s %r" % (kind, value)


def test_form_tells_values_apart():
    values = [0, False, 0.0, -0.0, 0j, complex(0.0, -0.0), "", b"", (), [], set(), frozenset(), {}, None, NAN,
              complex(NAN, 1), complex(1, NAN), {1: 2, 3: 4}, {3: 4, 1: 2}, "1", b"1", 1, 1.0, True, [1], (1,), {1}]
    assert len(set(map(form, values))) == len(values)
    assert form({1, 2, "a"}) == form({"a", 2, 1})


ECHOES = {
    "a Go function that serves the channel": "import gofuncs; gofuncs.serve()",
    "a Go function for each value": "import gofuncs\nfor x in channel: channel.send(gofuncs.echo(x))",
    "gpython": "for x in channel: channel.send(x)",
    "gpython, built anew": """
        def again(x):
            t = type(x)
            if t is list:
                return [again(y) for y in x]
            if t is tuple:
                return tuple([again(y) for y in x])
            if t is dict:
                got = {}
                for k, v in x.items():
                    got[again(k)] = again(v)
                return got
            if t is set:
                return set([again(y) for y in x])
            if t is frozenset:
                return frozenset([again(y) for y in x])
            if t is str:
                return "".join([c for c in x])
            if t is bytes:
                return bytes([n for n in x])
            if t is bool:
                return not not x
            if t is int:
                return x + 1 - 1
            if t is float:
                return -(-x)
            if t is complex:
                return complex(x.real, x.imag)
            if x is None:
                return None
            raise TypeError(repr(t))
        for x in channel:
            channel.send(again(x))
    """,
}


class Asker:
    """Sends values to an execution and receives its answers. Starts a new one after a failure."""

    def __init__(self, gateway, source):
        self.gateway, self.source, self.channel = gateway, source, None

    def ask(self, send, *args):
        if self.channel is None or self.channel.isclosed():
            self.channel = self.gateway.remote_exec(self.source)
        getattr(self, send)(*args)
        return self.channel.receive(WAIT)

    def value(self, value):
        self.channel.send(value)

    def raw(self, payload):
        self.gateway._send(CHANNEL_DATA, self.channel.id, payload)

    def __call__(self, value):
        return self.ask("value", value)

    def close(self):
        if self.channel is not None:
            self.channel.close()


@pytest.fixture(scope="module")
def echoes(popen_gw):
    askers = {name: Asker(popen_gw, source) for name, source in ECHOES.items()}
    yield askers
    for asker in askers.values():
        asker.close()


@pytest.fixture(params=sorted(ECHOES))
def echo(request, echoes):
    return echoes[request.param]


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(VALUES)
@example({1: "b", 0: "a", b"": [], (): {}, frozenset([(1,)]): None, None: 1, 2.5: 2})
@example([True, 1, 1.0, {True: 1}, {1: True}, {1.0: 1}, {1, 2}, frozenset([True])])
@example([NAN, {NAN: NAN}, (-NAN,), float("inf"), float("-inf"), -0.0, {-0.0: 0.0}, 5e-324, 1.7976931348623157e308])
@example([complex(NAN, -0.0), {complex(-0.0, float("inf")): 1j}])
@example({2**63: -2**31, 2**64: 10**4299, float(2**63): 0, 2**70: 1.5e300})
@example({"": b"", u"\0\u20ac\U0001f600\ud7ff\ue000\uffff": b"\0\xff", "a" * 5000: b"b" * 5000})
@example({"a", b"a", 1, (1, (2,)), frozenset([frozenset()]), None})
def test_values_come_back_as_they_were(echoes, value):
    for name, echo in echoes.items():
        assert form(echo(value)) == form(value), name


@pytest.mark.parametrize("number", [-2**31 - 1, -2**63, -2**63 - 1, -10**500], ids=lambda n: "%d bits" % n.bit_length())
def test_ints_that_execnet_cannot_send(echo, number):
    digits = str(number).encode()
    back = echo.ask("raw", b"H" + struct.pack("!i", len(digits)) + digits + b"Q")
    assert form(back) == form(number)


def test_large_and_deep_values(echo):
    for value in [b"x" * 300000, u"\u20ac" * 30000, list(range(20000)), {i: str(i) for i in range(5000)}]:
        assert echo(value) == value
    deep = value = []
    for _ in range(100):
        value.append([])
        value = value[0]
    assert echo(deep) == deep


def test_ints_have_an_end(popen_gw):
    """The limit of digits is the default of Python."""
    channel = popen_gw.remote_exec("channel.receive()")
    channel.send(10**4300)
    with pytest.raises(channel.RemoteError, match="LoadError: .* 4300"):
        channel.waitclose(WAIT)


def test_types_seen_remotely(popen_gw):
    channel = popen_gw.remote_exec("for x in channel: channel.send([type(x).__name__, isinstance(x, int), bool(x)])")
    for value in [None, True, False, 0, 2**80, 0.0, 1j, "", "x", b"", (), [0], {}, {1}, frozenset()]:
        channel.send(value)
        assert channel.receive(WAIT) == [type(value).__name__, isinstance(value, int), bool(value)]
    channel.send(channel)
    assert channel.receive(WAIT) == ["Channel", False, True]
    channel.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(VALUES, VALUES, HASHABLE)
@example({1: 2, 3: 4}, {3: 4, 1: 2}, 1)
@example([1, True, 1.0], [True, 1, 1], 1.0)
@example({1, 2.0}, frozenset([2, True]), 2)
@example(2**64, float(2**64), 0)
@example("1", b"1", 0)
def test_gpython_compares_as_python(compare, a, b, key):
    mine = [a == b, a == a, [a] == [b], (a, key) == (b, key), bool(a), key in {key: 1}, key == a]
    theirs = compare((a, b, key))
    if "nan" in repr((a, b, key)):  # in a container a nan equals only the same object
        mine, theirs = mine[4], theirs[4]
    assert theirs == mine


@pytest.fixture(scope="module")
def compare(popen_gw):
    asker = Asker(popen_gw, """
        for a, b, key in channel:
            channel.send([a == b, a == a, [a] == [b], (a, key) == (b, key), bool(a), key in {key: 1}, key == a])
    """)
    yield asker
    asker.close()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(VALUES)
@example([1e16, 1e-5, 123456789.125, 0.1, 1e22, float("inf"), -0.0])
@example(u"'\"\\\n\t\x00\x7f\xa0\u20ac\U0001f600\u200b")
@example([b"'\"\\\n\t\x00\x7f\xff", (1,), set(), frozenset(), 1j, complex(-0.0, -1), {}])
def test_gpython_represents_as_python(represent, value):
    if any(isinstance(part, (set, frozenset)) and len(part) > 1 for part in parts(value)):
        return  # their order is arbitrary
    assert represent(value) == [repr(value), str(value)]


def parts(value):
    yield value
    if isinstance(value, dict):
        value = list(value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            for part in parts(item):
                yield part


@pytest.fixture(scope="module")
def represent(popen_gw):
    asker = Asker(popen_gw, "for x in channel: channel.send([repr(x), str(x)])")
    yield asker
    asker.close()


HOSTILE = [
    b"", b"F\0\0", b"A\xff\xff\xff\xffQ", b"A\x7f\xff\xff\xffQ", b"K\x7f\xff\xff\xffQ", b"K\xff\xff\xff\xffQ",
    b"@\0\0\0\1Q", b"@\xff\xff\xff\xffQ", b"LL", b"LLQ", b"PQ", b"JKKKPQ", b"JK\0\0\0\0LPQ", b"\xffQ",
    b"N\0\0\0\1\xffQ", b"H\0\0\0\1xQ", b"K\0\0\0\1F\0\0\0\1LPQ", b"A\0\0\0\1xxQ", b"F\0\0\0\1L",
    b"K\0\0\0\1F\0\0\0\0" * 300000 + b"L" + b"P" * 300000 + b"Q",
]


@pytest.mark.parametrize("payload", HOSTILE, ids=lambda p: repr(p[:12]))
def test_what_is_no_value_ends_its_channel_only(popen_gw, payload):
    channel = popen_gw.remote_exec("channel.receive()")
    popen_gw._send(CHANNEL_DATA, channel.id, payload)
    assert "LoadError" in error(channel)
    assert popen_gw.remote_exec("channel.send(1)").receive(WAIT) == 1


def test_what_nobody_loads_does_no_harm(popen_gw):
    channel = popen_gw.remote_exec("channel.send(1); channel.setcallback(lambda x: None); channel.waitclose(1)")
    assert channel.receive(WAIT) == 1
    popen_gw._send(CHANNEL_DATA, channel.id, b"\xffQ")
    with pytest.raises(channel.RemoteError):
        channel.waitclose(WAIT)
    popen_gw._send(CHANNEL_DATA, 99999, b"\xff")
    assert popen_gw.remote_exec("channel.send(1)").receive(WAIT) == 1
