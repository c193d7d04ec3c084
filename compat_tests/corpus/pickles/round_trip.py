"""Pickled values travel as bytes both ways."""


def remote(channel):
    import datetime
    import pickle
    for data in channel:
        value = pickle.loads(data)
        channel.send(repr(value))
        channel.send(pickle.dumps((value, datetime.date(2000, 1, 1)), protocol=2))


def drive(at):
    import pickle
    channel = at.run(remote)
    for value in [1, [1, {"a": (2, None)}], {1, 2}, "\u20ac", 3 + 4j, b"x", True]:
        channel.send(pickle.dumps(value, 2))
        at.receive(channel)
        at.note(pickle.loads(channel.receive(20)))
    channel.send(b"not a pickle")
    at.follow(channel)
