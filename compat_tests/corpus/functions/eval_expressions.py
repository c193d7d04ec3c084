"""Evaluates expressions that the driver sends, with names of their own for each request."""


def remote(channel):
    import math
    names = {"pi": math.pi, "sqrt": math.sqrt}
    for text in channel:
        try:
            channel.send(eval(text, {"__builtins__": {}}, names))
        except Exception as error:
            channel.send("%s: %s" % (type(error).__name__, error))


def drive(at):
    channel = at.run(remote)
    for text in ["1 + 2 * 3", "sqrt(16) * 2", "pi > 3", "nothing", "1 / 0", "[x ** 2 for x in (1, 2, 3)]", "'a' 'b' * 2", "open('x')"]:
        channel.send(text)
        at.receive(channel)
    channel.close()
