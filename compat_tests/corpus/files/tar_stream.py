"""Makes a tar archive in memory and sends it in blocks of 4096 bytes."""


def remote(channel, names):
    import io
    import tarfile
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            content = (name * 100).encode()
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    data = out.getvalue()
    for start in range(0, len(data), 4096):
        channel.send(data[start:start + 4096])


def drive(at):
    import hashlib
    channel = at.run(remote, names=["one", "two/three"])
    blocks = list(channel)
    at.note(len(blocks), hashlib.md5(b"".join(blocks)).hexdigest())
