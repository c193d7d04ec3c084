"""Answers after pauses, in the order asked."""

remote = """
import time
for pause, text in channel:
    time.sleep(pause)
    channel.send(text)
"""


def drive(at):
    channel = at.run(remote)
    for request in [(0.01, "slow"), (0, "quick"), (0.002, "middle")]:
        channel.send(request)
    for _ in range(3):
        at.receive(channel)
    channel.close()
