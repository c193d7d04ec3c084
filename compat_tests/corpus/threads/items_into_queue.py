"""A callback puts what arrives into a queue.Queue, from which the program reads with timeouts."""
import queue

if __name__ == "__channelexec__":
    inbox = queue.Queue()
    channel.setcallback(inbox.put, endmarker="END")
    seen = []
    while True:
        try:
            item = inbox.get(timeout=10)
        except queue.Empty:
            raise RuntimeError("nothing came")
        if item == "flush":
            channel.send(seen)
            seen = []
        elif item == "END":
            break
        else:
            seen.append(item)


def drive(at):
    channel = at.run(at.module)
    for item in [1, "two", "flush", [3], "flush", "flush"]:
        channel.send(item)
    for _ in range(3):
        at.receive(channel)
    channel.close()
