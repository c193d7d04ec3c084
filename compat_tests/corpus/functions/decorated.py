"""Decorators count calls and cache results."""
import functools


def counted(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)
    wrapper.calls = 0
    return wrapper


@functools.lru_cache(maxsize=None)
def fibonacci(n):
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


@counted
def describe(*args, sep=", ", **kwargs):
    """Describes its arguments."""
    return sep.join([repr(a) for a in args] + ["%s=%r" % pair for pair in kwargs.items()])


if __name__ == "__channelexec__":
    channel.send(fibonacci(80))
    channel.send(describe(1, "a", z=1, a=2))
    channel.send(describe(sep="|", *[1, 2]))
    channel.send((describe.calls, describe.__name__, describe.__doc__, fibonacci.cache_info().misses))


def drive(at):
    at.follow(at.run(at.module))
