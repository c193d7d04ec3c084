"""Keeps values in a shelf in the folder, over two executions."""


def remote(channel, path, values=None):
    import shelve
    with shelve.open(path) as shelf:
        for key, value in (values or {}).items():
            shelf[key] = value
        channel.send(sorted((key, shelf[key]) for key in shelf))


def drive(at):
    import os
    at.follow(at.run(remote, path=at.folder + "/shelf", values={"a": [1], "b": {"c": None}}))
    at.follow(at.run(remote, path=at.folder + "/shelf", values={"a": 2}))
    at.follow(at.run(remote, path=at.folder + "/shelf"))
    for name in os.listdir(at.folder):
        os.remove(os.path.join(at.folder, name))
