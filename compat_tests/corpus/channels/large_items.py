"""Sends items of several megabytes both ways."""


def remote(channel):
    import zlib
    for item in channel:
        channel.send((len(item), zlib.crc32(item if isinstance(item, bytes) else item.encode("utf-8"))))
        channel.send(item[::-1])


def drive(at):
    import zlib
    channel = at.run(remote)
    for item in [b"\x00\x01\x02" * 1000000, "\u20acuro" * 300000, b""]:
        channel.send(item)
        at.receive(channel)
        back = channel.receive(20)
        at.note(back == item[::-1], zlib.crc32(back if isinstance(back, bytes) else back.encode()))
    channel.close()
