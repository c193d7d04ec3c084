"""Adds up what arrives until None."""

remote = """
total = 0
while 1:
    item = channel.receive()
    if item is None:
        break
    total += item
channel.send(total)
"""


def drive(at):
    channel = at.run(remote)
    for n in [1, 2.5, -10, 2 ** 65, None]:
        channel.send(n)
    at.follow(channel)
