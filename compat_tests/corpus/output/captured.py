"""Captures what a function prints with contextlib.redirect_stdout."""
import contextlib
import io


def noisy(n):
    print("noise", n)
    for i in range(n):
        print(i, end=" ")
    print()
    return n * n


if __name__ == "__channelexec__":
    for n in channel:
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            result = noisy(n)
        channel.send((result, out.getvalue()))


def drive(at):
    channel = at.run(at.module)
    for n in [0, 3]:
        channel.send(n)
        at.receive(channel)
    channel.close()
