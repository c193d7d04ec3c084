"""Encodings and checksums of bytes that the driver sends."""


def remote(channel):
    import base64
    import binascii
    import hashlib
    import hmac
    import zlib
    for data in channel:
        channel.send((base64.b64encode(data), binascii.hexlify(data), zlib.adler32(data) & 0xffffffff))
        channel.send([hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha512")])
        channel.send(hmac.new(b"key", data, "sha256").hexdigest())
        channel.send(zlib.decompress(zlib.compress(data, 9)) == data)
        channel.send(base64.urlsafe_b64decode(base64.urlsafe_b64encode(data)) == data)


def drive(at):
    channel = at.run(remote)
    for data in [b"", b"hello", bytes(range(256))]:
        channel.send(data)
        for _ in range(5):
            at.receive(channel)
    channel.send("text")
    at.follow(channel)
