"""Calls functions and sends their results or exceptions as pickles."""
import pickle


def divide(a, b):
    return a / b


def lookup(d, key):
    return d[key]


if __name__ == "__channelexec__":
    for packed in channel:
        name, args = pickle.loads(packed)
        try:
            answer = True, globals()[name](*args)
        except Exception as e:
            answer = False, e
        channel.send(pickle.dumps(answer))


def drive(at):
    import pickle
    channel = at.run(at.module)
    for call in [("divide", (7, 2)), ("divide", (1, 0)), ("lookup", ({"a": 1}, "b")), ("missing", ())]:
        channel.send(pickle.dumps(call))
        good, value = pickle.loads(channel.receive(20))
        at.note(good, value if good else repr(value))
    channel.close()
