"""Follows the Collatz sequence from each number that arrives."""

remote = """
def steps(n):
    count = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        count += 1
    return count

for n in channel:
    channel.send([n, steps(n)])
"""


def drive(at):
    channel = at.run(remote)
    for n in [1, 7, 27, 97]:
        channel.send(n)
        at.receive(channel)
    channel.send(None)
    at.follow(channel)
