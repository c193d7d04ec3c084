"""Imports a package from a zip archive that the driver sends."""
OWN_GATEWAY = True


def remote(channel, path):
    import os
    import sys
    with open(path, "wb") as f:
        f.write(channel.receive())
    sys.path.insert(0, path)
    import corpus_zipped.tool
    channel.send(corpus_zipped.tool.run("x"))
    import pkgutil
    channel.send(pkgutil.get_data("corpus_zipped", "data.txt"))
    os.remove(path)


def drive(at):
    import io
    import zipfile
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("corpus_zipped/__init__.py", "")
        archive.writestr("corpus_zipped/tool.py", "def run(text):\n    return text * 3\n")
        archive.writestr("corpus_zipped/data.txt", "some data")
    channel = at.run(remote, path=at.folder + "/packed.zip")
    channel.send(packed.getvalue())
    at.follow(channel)
