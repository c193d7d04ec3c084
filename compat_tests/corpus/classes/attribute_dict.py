"""A dict whose keys are attributes, as scripts use it for settings."""


class Settings(dict):
    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name, value):
        self[name] = value

    def __missing__(self, key):
        raise KeyError("no setting " + key)


if __name__ == "__channelexec__":
    settings = Settings(channel.receive())
    settings.debug = True
    channel.send(dict(settings))
    channel.send((settings.host, settings["debug"], getattr(settings, "none", "default")))
    settings["port"]


def drive(at):
    channel = at.run(at.module)
    channel.send({"host": "h", "user": "u"})
    at.follow(channel)
