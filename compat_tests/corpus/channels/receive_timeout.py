"""Waits for items with a timeout and tells when nothing has come."""

remote = """
channel.send('ready')
try:
    channel.receive(timeout=0.01)
except channel.TimeoutError as e:
    channel.send(str(e))
channel.send(channel.receive(timeout=20))
channel.receive(timeout=0)
"""


def drive(at):
    channel = at.run(remote)
    at.receive(channel)
    at.receive(channel)
    channel.send("late")
    at.follow(channel)
