"""Errors with causes and contexts, and a cause that is left out."""

remote = """
class ConfigError(Exception):
    pass

def load(how):
    try:
        return {}['port']
    except KeyError as e:
        if how == 'from':
            raise ConfigError('no port') from e
        if how == 'none':
            raise ConfigError('hidden') from None
        raise ConfigError('context')

load(channel.receive())
"""


def drive(at):
    for how in ["from", "none", "context"]:
        channel = at.run(remote)
        channel.send(how)
        at.end(channel)
