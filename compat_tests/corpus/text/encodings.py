"""Encodes and decodes text in several encodings, with errors handled in each way."""


def remote(channel, text):
    for name in ["utf-8", "utf-16-le", "latin-1", "cp1252", "ascii"]:
        try:
            data = text.encode(name)
            channel.send((name, data, data.decode(name) == text))
        except UnicodeEncodeError as e:
            channel.send((name, e.start, e.reason))
    channel.send([text.encode("ascii", how) for how in ("ignore", "replace", "backslashreplace", "xmlcharrefreplace")])
    channel.send(b"ab\xffcd".decode("utf-8", "replace"))
    import unicodedata
    channel.send([unicodedata.name(c) for c in text if ord(c) > 127])
    channel.send(unicodedata.normalize("NFD", "\u00e9") == "e\u0301")


def drive(at):
    at.follow(at.run(remote, text="caf\u00e9 \u20ac5"))
