"""Every type that can be sent, as an argument and back."""


def remote(channel, **values):
    for name in sorted(values):
        channel.send((name, type(values[name]).__name__, values[name]))


def drive(at):
    at.follow(at.run(remote, none=None, true=True, n=-5, big=2 ** 70, f=1.5, inf=float("-inf"), c=1 - 2j, s="\u20ac",
                     b=b"\x00\xff", lst=[1, [2]], tup=(1, ("a",)), d={"k": {1: None}, (1, 2): b""}, st={1, 2},
                     fs=frozenset(["x"]), empty=[[], (), {}, set(), "", b""]))
