"""Sends back what it receives, and ends with the channel."""

remote = """
for item in channel:
    channel.send(item)
"""


def drive(at):
    channel = at.run(remote)
    for item in [1, "two", [3, (4,)], {"five": None}, b"6", 7.5, True]:
        channel.send(item)
        at.receive(channel)
    channel.close()
