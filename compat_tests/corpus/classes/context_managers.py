"""Context managers as classes and as generators; one swallows an exception."""
from contextlib import ExitStack, contextmanager

log = []


class Opened:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        log.append("open " + self.name)
        return self

    def __exit__(self, kind, value, tb):
        log.append("close %s %s" % (self.name, kind and kind.__name__))
        return kind is KeyError


@contextmanager
def step(name):
    log.append("begin " + name)
    try:
        yield name.upper()
    finally:
        log.append("end " + name)


if __name__ == "__channelexec__":
    with Opened("a"), step("b") as b:
        log.append(b)
        raise KeyError("lost")
    with ExitStack() as stack:
        for name in "xyz":
            stack.enter_context(Opened(name))
    channel.send(log)
    with step("c"):
        raise LookupError("seen")


def drive(at):
    at.follow(at.run(at.module))
