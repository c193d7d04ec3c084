"""Sends what was added to a file since the last request, as tail -f would."""


def remote(channel, path):
    position = 0
    for request in channel:
        if request == "more":
            with open(path, "rb") as f:
                f.seek(position)
                added = f.read()
                position = f.tell()
            channel.send(added.decode("utf-8", "replace"))
        elif request == "position":
            channel.send(position)


def drive(at):
    path = at.write("app.log", "started\n")
    channel = at.run(remote, path=path)
    for addition in ["", "working\n", "\u20ac done\n"]:
        with open(path, "a", encoding="utf-8") as f:
            f.write(addition)
        channel.send("more")
        at.receive(channel)
    channel.send("position")
    at.receive(channel)
    channel.close()
