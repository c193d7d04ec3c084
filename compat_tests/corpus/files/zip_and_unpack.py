"""Unpacks a zip archive that arrives as bytes, and refuses names that leave the folder."""


def remote(channel, folder):
    import io
    import os
    import zipfile
    archive = zipfile.ZipFile(io.BytesIO(channel.receive()))
    for info in archive.infolist():
        target = os.path.normpath(os.path.join(folder, info.filename))
        if not target.startswith(folder + os.sep):
            channel.send(("refused", info.filename))
            continue
        archive.extract(info, folder)
        channel.send(("unpacked", info.filename, info.file_size))


def drive(at):
    import io
    import zipfile
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in [("a.txt", "alpha"), ("sub/b.txt", "beta"), ("../evil.txt", "no")]:
            archive.writestr(zipfile.ZipInfo(name), content)
    channel = at.run(remote, folder=at.folder)
    channel.send(packed.getvalue())
    at.follow(channel)
