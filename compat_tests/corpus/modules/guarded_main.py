"""A module with constants, functions and a part that runs only on the remote side."""
import math
import sys

LIMIT = 10


def scale(values, factor=math.pi):
    return [round(v * factor, 3) for v in values if v < LIMIT]


class Job:
    count = 0

    def __init__(self, values):
        Job.count += 1
        self.values = values

    def run(self):
        return scale(self.values)


if __name__ == "__channelexec__":
    for values in channel:
        channel.send((Job(values).run(), Job.count, Job.__module__))
    channel.send(__name__ in sys.modules or "main" in __name__ or __name__)


def drive(at):
    channel = at.run(at.module)
    for values in [[1, 2, 30], [], [0.5]]:
        channel.send(values)
        at.receive(channel)
    channel.send(5)
    at.follow(channel)
