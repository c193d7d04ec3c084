"""Executes pieces of source in a dict that lives from one to the next."""

remote = """
space = {'total': 0}
for piece in channel:
    exec(piece, space)
    channel.send(sorted((k, v) for k, v in space.items() if not k.startswith('__') and not callable(v)))
"""


def drive(at):
    channel = at.run(remote)
    for piece in ["total += 5", "def add(n):\n    global total\n    total += n", "add(7)\nadd(1)", "names = [c for c in 'xyz']", "del names"]:
        channel.send(piece)
        at.receive(channel)
    channel.send("add('a')")
    at.follow(channel)
