"""Works until the driver sends a word, which a callback notices."""


def remote(channel):
    import threading
    stop = threading.Event()
    channel.setcallback(lambda item: stop.set())
    rounds = 0
    channel.send("working")
    while not stop.wait(0.001):
        rounds += 1
    channel.send("stopped" if rounds >= 0 else None)


def drive(at):
    channel = at.run(remote)
    at.receive(channel)
    channel.send("stop")
    at.follow(channel)
