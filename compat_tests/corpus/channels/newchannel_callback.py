"""The program sets a callback on a channel of its own and counts what comes until its end."""


def remote(channel):
    import threading
    inner, got, done = channel.gateway.newchannel(), [], threading.Event()

    def on_item(item):
        if item is None:
            done.set()
        else:
            got.append(item)

    inner.setcallback(on_item, endmarker=None)
    channel.send(inner)
    channel.send(done.wait(20))
    channel.send(got)


def drive(at):
    channel = at.run(remote)
    inner = channel.receive(20)
    for item in "xyz":
        inner.send(item)
    inner.close()
    at.follow(channel)
