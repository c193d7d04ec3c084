"""Sends the SHA-256 of each file of a folder, as a driver asks that looks for changed files."""
import hashlib
import os


def digest(path, block=4096):
    sha = hashlib.sha256()
    with open(path, "rb") as f:
        for part in iter(lambda: f.read(block), b""):
            sha.update(part)
    return sha.hexdigest()


if __name__ == "__channelexec__":
    folder = channel.receive()
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            found[name] = digest(path)
    channel.send(found)


def drive(at):
    at.write("one", b"1" * 10000)
    at.write("two", b"")
    at.write("sub/three", b"3")
    channel = at.run(at.module)
    channel.send(at.folder)
    at.follow(channel)
