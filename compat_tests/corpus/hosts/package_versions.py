"""Which distributions and modules an interpreter has, without importing them."""


def remote(channel, names):
    import importlib.util
    for name in names:
        spec = importlib.util.find_spec(name)
        channel.send((name, spec is not None, bool(spec and spec.origin and spec.origin.endswith(".py"))))
    try:
        importlib.util.find_spec("nowhere.module")
    except ModuleNotFoundError as e:
        channel.send(str(e))


def drive(at):
    at.follow(at.run(remote, names=["json", "email.mime", "no_such_thing_at_all", "sys", "textwrap"]))
