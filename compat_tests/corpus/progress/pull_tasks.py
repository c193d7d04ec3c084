"""Asks the driver for tasks one at a time, as a worker of a pool does."""


def remote(channel):
    channel.send(("ready", None))
    while True:
        task = channel.receive()
        if task is None:
            break
        kind, value = task
        result = value ** 2 if kind == "square" else len(value)
        channel.send(("done", result))
    channel.send(("idle", None))


def drive(at):
    channel = at.run(remote)
    tasks = [("square", 12), ("length", "hello"), ("square", 0.5), None]
    for task in tasks:
        at.receive(channel)
        channel.send(task)
    at.follow(channel)
