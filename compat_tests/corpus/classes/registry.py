"""Classes that register themselves, found by name and called by the driver."""


class Registered(type):
    known = {}

    def __new__(mcs, name, bases, namespace):
        cls = super().__new__(mcs, name, bases, namespace)
        if bases:
            mcs.known[name.lower()] = cls
        return cls


class Command(metaclass=Registered):
    def __call__(self, *args):
        raise NotImplementedError(type(self).__name__)


class Add(Command):
    def __call__(self, *args):
        return sum(args)


class Join(Command):
    def __call__(self, *args):
        return "-".join(map(str, args))


class Later(Command):
    pass


if __name__ == "__channelexec__":
    channel.send(sorted(Registered.known))
    for name, args in channel:
        channel.send(Registered.known[name]()(*args))


def drive(at):
    channel = at.run(at.module)
    at.receive(channel)
    for call in [("add", [1, 2.5]), ("join", ["a", 1])]:
        channel.send(call)
        at.receive(channel)
    channel.send(("later", []))
    at.follow(channel)
