"""A callback on the remote side answers each item while the program waits for the end."""


def remote(channel):
    import threading
    ended = threading.Event()

    def answer(item):
        if item == "END":
            ended.set()
        else:
            channel.send((item, len(item)))

    channel.setcallback(answer, endmarker="END")
    ended.wait(20)


def drive(at):
    channel = at.run(remote)
    for text in ["a", "bb", "ccc"]:
        channel.send(text)
        at.receive(channel)
    channel.close()
