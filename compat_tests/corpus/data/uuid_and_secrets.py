"""Names that are always the same, and tokens that never are."""


def remote(channel):
    import secrets
    import string
    import uuid
    channel.send(str(uuid.uuid5(uuid.NAMESPACE_DNS, "example.org")))
    u = uuid.UUID("12345678123456781234567812345678")
    channel.send((u.hex, u.int, u.version))
    channel.send(uuid.uuid4() != uuid.uuid4())
    channel.send((len(secrets.token_hex(8)), set(secrets.token_hex(8)) <= set(string.hexdigits)))
