"""Annotations of functions and variables, also with names that are not defined."""

remote = """
def f(x: int, *args: 'str', y: list = None) -> bool:
    total: int = x + len(args)
    return total > 1

class Point:
    x: int = 0
    y: 'float'

channel.send((f(1), f(1, 'a'), Point.x, hasattr(Point, 'y')))
count: int = 5
channel.send((count, sorted(Point.__annotations__)))
"""
