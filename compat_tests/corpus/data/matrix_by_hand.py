"""Multiplies matrices in plain Python, and finds primes."""

remote = """
def multiply(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]

def primes(limit):
    sieve = [True] * (limit + 1)
    found = []
    for n in range(2, limit + 1):
        if sieve[n]:
            found.append(n)
            for multiple in range(n * n, limit + 1, n):
                sieve[multiple] = False
    return found

a, b = channel.receive()
channel.send(multiply(a, b))
channel.send(primes(60))
channel.send(2 ** 200 % 1000007, )
channel.send(divmod(-7, 3) + divmod(7, -3))
multiply(a, 5)
"""


def drive(at):
    channel = at.run(remote)
    channel.send(([[1, 2], [3, 4]], [[0, 1], [1, 0]]))
    at.follow(channel)
