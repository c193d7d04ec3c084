"""Receives a large file in chunks, and checks its length and checksum before it keeps it."""

remote = """
    import os, zlib
    header = channel.receive()
    part = header['path'] + '.part'
    crc, left = 0, header['size']
    with open(part, 'wb') as out:
        while left > 0:
            data = channel.receive()
            crc = zlib.crc32(data, crc)
            left -= len(data)
            out.write(data)
    if left or crc & 0xffffffff != header['crc']:
        os.unlink(part)
        raise ValueError('damaged: %d bytes too many, crc %x' % (-left, crc))
    os.rename(part, header['path'])
    channel.send('ok')
"""


def drive(at):
    import zlib
    data = bytes(range(250)) * 2000
    for crc in [zlib.crc32(data), 1]:
        channel = at.run(remote)
        channel.send({"path": at.folder + "/big%d" % (crc == 1), "size": len(data), "crc": crc})
        for start in range(0, len(data), 65536):
            channel.send(data[start:start + 65536])
        at.follow(channel)
