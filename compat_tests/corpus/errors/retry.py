"""Tries again after errors of a class, with a growing pause, and gives up in the end."""
import time


class Flaky:
    def __init__(self, failures):
        self.left = failures

    def __call__(self):
        if self.left:
            self.left -= 1
            raise ConnectionError("%d left" % self.left)
        return "done"


def retry(function, tries, pause=0.0001):
    log = []
    for attempt in range(tries):
        try:
            return function(), log
        except ConnectionError as error:
            log.append(str(error))
            if attempt == tries - 1:
                raise
            time.sleep(pause * 2 ** attempt)


if __name__ == "__channelexec__":
    for failures in channel:
        channel.send(retry(Flaky(failures), 3))


def drive(at):
    channel = at.run(at.module)
    for failures in [0, 2]:
        channel.send(failures)
        at.receive(channel)
    channel.send(3)
    at.follow(channel)
