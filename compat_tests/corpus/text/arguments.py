"""Parses command lines with argparse, also wrong ones."""
import argparse
import contextlib
import io


def parser():
    p = argparse.ArgumentParser(prog="tool", add_help=False)
    p.add_argument("files", nargs="*")
    p.add_argument("-v", "--verbose", action="count", default=0)
    p.add_argument("--level", type=int, choices=[1, 2, 3])
    return p


if __name__ == "__channelexec__":
    for line in channel:
        err = io.StringIO()
        try:
            with contextlib.redirect_stderr(err):
                channel.send(vars(parser().parse_args(line.split())))
        except SystemExit as e:
            channel.send((e.code, err.getvalue().splitlines()[-1]))


def drive(at):
    channel = at.run(at.module)
    for line in ["", "-vv a b", "--level 2 x", "--level 9", "--nothing"]:
        channel.send(line)
        at.receive(channel)
    channel.close()
