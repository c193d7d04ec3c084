"""What the workers of the pool do."""
import os
import time


def factors(n):
    """The prime factors of a number."""
    if n == 0:
        os._exit(3)  # a crash, as of a bug in C code
    if n < 0:
        time.sleep(1000)  # a job that hangs
    found, p = [], 2
    while p * p <= n:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    return found + [n] * (n > 1)
