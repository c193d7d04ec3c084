import random


def hits(seed, throws=10000):
    """How many of so many points of a square lie in the circle's quarter."""
    numbers = random.Random(seed)
    return sum(numbers.random() ** 2 + numbers.random() ** 2 < 1 for _ in range(throws))
