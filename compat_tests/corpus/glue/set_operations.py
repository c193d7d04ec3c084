"""Operations on sets and frozensets that arrive."""

remote = """
a, b = channel.receive()
channel.send([a | b, a & b, a - b, a ^ b])
channel.send([a <= b, a.isdisjoint(b), len(a), frozenset(a) == a])
a.update([100])
a.discard(1)
channel.send(a)
channel.send(set('banana'))
channel.send({x % 3 for x in range(10)})
a.remove('nothing')
"""


def drive(at):
    channel = at.run(remote)
    channel.send(({1, 2, 3}, frozenset([3, 4])))
    at.follow(channel)
