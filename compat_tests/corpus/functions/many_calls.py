"""Calls one function many times with different arguments, as a driver does with tasks."""


def remote(channel, a, b, op):
    if op == "add":
        channel.send(a + b)
    elif op == "div":
        channel.send(a / b)
    else:
        raise ValueError("unknown operation %r" % op)


def drive(at):
    for a, b, op in [(1, 2, "add"), ("x", "y", "add"), ([1], [2], "add"), (1, 3, "div"), (1, 0, "div"), (1, "a", "add"), (0, 0, "mod")]:
        at.follow(at.run(remote, a=a, b=b, op=op))
