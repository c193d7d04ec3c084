"""Replaces a file through a temporary file beside it, with the mode that the old one had."""


def remote(channel, path):
    import os
    import tempfile

    def put(content):
        mode = os.stat(path).st_mode & 0o777
        handle, name = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new")
        try:
            with os.fdopen(handle, "wb") as f:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())
            os.chmod(name, mode)
            os.rename(name, path)
        except BaseException:
            os.unlink(name)
            raise
        return oct(mode)

    for content in channel:
        channel.send(put(content))


def drive(at):
    import os
    path = at.write("data.bin", b"old")
    os.chmod(path, 0o640)
    channel = at.run(remote, path=path)
    for content in [b"new", bytes(range(256)) * 40]:
        channel.send(content)
        at.receive(channel)
    channel.close()
