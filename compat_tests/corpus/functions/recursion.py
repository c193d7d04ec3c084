"""Recursive functions: permutations, hanoi, and one that never ends."""

remote = """
def permutations(items):
    if not items:
        yield []
    for i, item in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1:]):
            yield [item] + rest

def hanoi(n, a='a', b='b', c='c'):
    return [] if n == 0 else hanoi(n - 1, a, c, b) + [a + c] + hanoi(n - 1, b, a, c)

def endless(n):
    return endless(n + 1)

channel.send([''.join(p) for p in permutations(list('abc'))])
channel.send(hanoi(3))
try:
    endless(0)
except RecursionError as e:
    channel.send(str(e)[:32])
"""
