"""A REPL that keeps the last result in _ and numbers its lines, with its own displayhook."""
OWN_GATEWAY = True


def remote(channel):
    import sys
    shown = []

    def show(value):
        if value is not None:
            shown.append(repr(value))
            space["_"] = value

    space = {"_": None}
    sys.displayhook = show
    for number, line in enumerate(channel, 1):
        exec(compile(line, "<in %d>" % number, "single"), space)
        channel.send((number, shown[:]))
        del shown[:]


def drive(at):
    channel = at.run(remote)
    for line in ["6 * 7", "_ + 1", "_, None", "None", "x = _", "x[0]"]:
        channel.send(line)
        at.receive(channel)
    channel.send("1 / 0")
    at.follow(channel)
