"""Counts the lines and words of every log file below a folder, one item a file."""


def remote(channel, folder):
    import os
    for at, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".log"):
                with open(os.path.join(at, name)) as f:
                    lines = f.readlines()
                words = sum(len(line.split()) for line in lines)
                channel.send((os.path.relpath(os.path.join(at, name), folder), len(lines), words))


def drive(at):
    at.write("a.log", "one two\nthree\n")
    at.write("deep/er/b.log", "x " * 100)
    at.write("deep/c.txt", "not this one\n")
    at.write("empty.log", "")
    at.follow(at.run(remote, folder=at.folder))
