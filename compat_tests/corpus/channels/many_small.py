"""Sends many small items before it reads any, and then adds up as many."""

remote = """
n = channel.receive()
for i in range(n):
    channel.send(i)
total = 0
for i in range(n):
    total += channel.receive()
channel.send(total)
"""


def drive(at):
    channel = at.run(remote)
    channel.send(3000)
    for i in range(3000):
        channel.send(2 * i)
    at.note(sum(channel.receive(20) for _ in range(3000)))
    at.follow(channel)
