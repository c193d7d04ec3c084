"""Writes the lines that arrive into a file, and answers with its size at the end."""


def remote(channel, path):
    import os
    with open(path, "w") as f:
        while True:
            line = channel.receive()
            if line is None:
                break
            f.write("%4d %s\n" % (f.tell(), line))
    channel.send(os.path.getsize(path))


def drive(at):
    channel = at.run(remote, path=at.folder + "/report.txt")
    for line in ["first", "second", "third one", None]:
        channel.send(line)
    at.follow(channel)
