"""A finder on sys.meta_path asks the driver for the source of modules that are not there."""
import importlib.abc
import importlib.util
import sys

OWN_GATEWAY = True


class FromDriver(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, channel):
        self.channel = channel

    def find_spec(self, name, path, target=None):
        if not name.startswith("corpus_"):
            return None
        self.channel.send(("need", name))
        source = self.channel.receive()
        if source is None:
            return None
        spec = importlib.util.spec_from_loader(name, self, origin="driver")
        spec.loader_state = source
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(module.__spec__.loader_state, module.__dict__)


if __name__ == "__channelexec__":
    sys.meta_path.insert(0, FromDriver(channel))
    import corpus_first
    channel.send(("value", corpus_first.value, corpus_first.__spec__.origin))
    import corpus_none


def drive(at):
    sources = {"corpus_first": "from corpus_second import base\nvalue = base + 1\n", "corpus_second": "base = 1\n"}
    channel = at.run(at.module)
    try:
        while True:
            item = at.receive(channel)
            if item[0] == "need":
                channel.send(sources.get(item[1]))
    except (EOFError, channel.RemoteError):
        at.end(channel)
