"""Sends tracebacks that it has formatted itself."""
import traceback


def fail(depth):
    if depth:
        return fail(depth - 1)
    raise ValueError("at the bottom")


if __name__ == "__channelexec__":
    for depth in channel:
        try:
            fail(depth)
        except ValueError as error:
            channel.send([(f.name, f.lineno) for f in traceback.extract_tb(error.__traceback__)])
            channel.send(traceback.format_exception_only(type(error), error))


def drive(at):
    channel = at.run(at.module)
    for depth in [0, 2]:
        channel.send(depth)
        for _ in range(2):
            at.receive(channel)
    channel.close()
