"""Sends progress over a channel of its own, with a callback at the driver and an endmarker."""


def remote(channel):
    progress, tasks = channel.receive()
    for number, task in enumerate(tasks):
        progress.send("%d/%d %s" % (number + 1, len(tasks), task))
        channel.send(task[::-1])
    progress.close()


def drive(at):
    import threading
    channel = at.run(remote)
    progress, seen, ended = at.gateway.newchannel(), [], threading.Event()
    progress.setcallback(lambda item: ended.set() if item is None else seen.append(item), endmarker=None)
    channel.send((progress, ["abc", "def", "ghi"]))
    at.follow(channel)
    at.note(ended.wait(20), seen)
