"""Counters and accumulators as closures."""

remote = """
def counter(start=0, step=1):
    value = start
    def advance(by=None):
        nonlocal value
        value += step if by is None else by
        return value
    def reset():
        nonlocal value
        value = start
    advance.reset = reset
    return advance

a, b = counter(), counter(10, step=-2)
channel.send([a(), a(), b(), a(5), b()])
a.reset()
channel.send([a(), b()])
adders = [lambda x, n=n: x + n for n in range(3)]
late = [lambda x: x + n for n in range(3)]
channel.send(([f(10) for f in adders], [f(10) for f in late]))
"""
