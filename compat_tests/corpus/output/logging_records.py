"""Log records of the remote side as items, with a handler of its own."""
import logging


class ToChannel(logging.Handler):
    def __init__(self, channel):
        logging.Handler.__init__(self)
        self.channel = channel

    def emit(self, record):
        self.channel.send((record.levelname, record.name, self.format(record)))


if __name__ == "__channelexec__":
    log = logging.getLogger("corpus.worker")
    log.propagate = False
    handler = ToChannel(channel)
    handler.setFormatter(logging.Formatter("%(levelname).1s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.debug("not seen")
    log.info("started %s with %d", "job", 3)
    log.warning("careful")
    try:
        {}["key"]
    except KeyError:
        log.exception("failed")
    log.removeHandler(handler)


def drive(at):
    for item in at.run(at.module):
        at.note(item[:2], item[2].splitlines()[0], item[2].splitlines()[-1])
