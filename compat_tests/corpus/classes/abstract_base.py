"""An abstract base class refuses to be instantiated until all methods are there."""
import abc


class Storage(abc.ABC):
    @abc.abstractmethod
    def get(self, key):
        """Returns the value of a key."""

    @abc.abstractmethod
    def put(self, key, value):
        """Sets the value of a key."""


class Memory(Storage):
    def __init__(self):
        self.values = {}

    def get(self, key):
        return self.values.get(key)

    def put(self, key, value):
        self.values[key] = value


if __name__ == "__channelexec__":
    memory = Memory()
    memory.put("k", [1])
    channel.send((memory.get("k"), issubclass(Memory, Storage), sorted(Storage.__abstractmethods__)))
    Half = type("Half", (Storage,), {"get": lambda self, key: None})
    try:
        Half()
    except TypeError as e:
        channel.send("put" in str(e))


def drive(at):
    at.follow(at.run(at.module))
