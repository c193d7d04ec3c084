"""Chooses a function by the name in each request."""

remote = """
commands = {
    'upper': lambda s: s.upper(),
    'split': str.split,
    'pair': lambda a, b=None: (a, b),
    'apply': lambda name, *args: commands[name](*args),
}
for request in channel:
    name, args, kwargs = request
    try:
        channel.send(commands[name](*args, **kwargs))
    except TypeError:
        channel.send('wrong arguments')
"""


def drive(at):
    channel = at.run(remote)
    for request in [("upper", ["x"], {}), ("split", ["a b"], {}), ("pair", [1], {"b": 2}), ("apply", ["upper", "z"], {}), ("upper", [], {})]:
        channel.send(request)
        at.receive(channel)
    channel.send(("nothing", [], {}))
    at.follow(channel)
