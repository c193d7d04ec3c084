"""Ten executions at once in one gateway, which answer each other's questions through the driver."""

remote = """
mine = channel.receive()
channel.send(mine * 2)
theirs = channel.receive()
channel.send((mine, theirs))
"""


def drive(at):
    channels = [at.run(remote) for _ in range(10)]
    for n, channel in enumerate(channels):
        channel.send(n)
    answers = [channel.receive(20) for channel in channels]
    for channel, answer in zip(channels, reversed(answers)):
        channel.send(answer)
    for channel in channels:
        at.follow(channel)
