"""Logs into a file with the standard handlers."""


def remote(channel, path):
    import logging
    log = logging.Logger("file")
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(levelname)-8s|%(funcName)s|%(message)s"))
    log.addHandler(handler)
    log.error("first\nsecond line")
    log.warning("%5.1f %r", 2.25, "x")
    handler.close()
    with open(path) as f:
        channel.send(f.read())


def drive(at):
    at.follow(at.run(remote, path=at.folder + "/out.log"))
