"""A dict of channels in one item, one for each task."""


def remote(channel):
    tasks = channel.receive()
    channels = dict((name, channel.gateway.newchannel()) for name in tasks)
    channel.send(channels)
    for name in sorted(tasks):
        for n in range(tasks[name]):
            channels[name].send((name, n))
        channels[name].close()


def drive(at):
    channel = at.run(remote)
    channel.send({"a": 2, "b": 0, "c": 1})
    channels = channel.receive(20)
    for name in sorted(channels):
        at.follow(channels[name])
    at.end(channel)
