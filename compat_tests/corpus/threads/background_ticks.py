"""A daemon thread sends items beside the program until it is told to stop."""


def remote(channel):
    import threading
    stop = threading.Event()
    ticks = []

    def tick():
        while not stop.wait(0.001):
            if len(ticks) < 3:
                ticks.append(len(ticks))
                channel.send(("tick", ticks[-1]))

    thread = threading.Thread(target=tick)
    thread.daemon = True
    thread.start()
    channel.receive()
    stop.set()
    thread.join()
    channel.send("stopped")


def drive(at):
    channel = at.run(remote)
    for _ in range(3):
        at.receive(channel)
    channel.send("stop")
    at.follow(channel)
