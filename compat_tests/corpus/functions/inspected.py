"""Looks at a function of its own with inspect: signature, source position, defaults."""
import inspect


def task(host, port=22, *args, user: str = "root", **options):
    """Does nothing.

    It is only looked at.
    """


if __name__ == "__channelexec__":
    signature = inspect.signature(task)
    channel.send(str(signature).replace("'", ""))
    channel.send([(p.name, str(p.kind), p.default is p.empty) for p in signature.parameters.values()])
    channel.send(inspect.getdoc(task))
    bound = signature.bind("h", 23, 24, user="u", x=1)
    channel.send(dict(bound.arguments))
    signature.bind()


def drive(at):
    at.follow(at.run(at.module))
