"""Looks for programs on PATH, with shutil and by hand."""


def remote(channel, names):
    import os
    import shutil

    def by_hand(name):
        for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path

    for name in names:
        path = shutil.which(name)
        channel.send((name, path, path == by_hand(name)))


def drive(at):
    at.follow(at.run(remote, names=["sh", "ls", "certainly-not-there"]))
