"""A thread sends heartbeats while the program computes; the driver counts only that they come."""


def remote(channel):
    import threading
    done = threading.Event()

    def beat():
        number = 0
        while not done.wait(0.002):
            number += 1
            channel.send(("beat", number))

    thread = threading.Thread(target=beat)
    thread.start()
    total = 0
    channel.receive()
    for n in range(1000):
        total += n
    done.set()
    thread.join()
    channel.send(("total", total))


def drive(at):
    channel = at.run(remote)
    at.note(channel.receive(20))
    channel.send("compute")
    at.note([item for item in channel if item[0] == "total"])
