"""A function with defaults and keyword arguments, called in several ways."""


def remote(channel, name, greeting="hello", *, times=1, loud=False):
    text = "%s %s" % (greeting, name)
    for _ in range(times):
        channel.send(text.upper() if loud else text)


def drive(at):
    at.follow(at.run(remote, name="ann"))
    at.follow(at.run(remote, name="bob", greeting="bye", times=3))
    at.follow(at.run(remote, name="\u00e9va", loud=True))
    at.follow(at.run(remote, greeting="nobody"))
    at.follow(at.run(remote, name="x", color="red"))
