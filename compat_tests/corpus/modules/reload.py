"""Imports a module, changes its file, and reloads it."""
OWN_GATEWAY = True


def remote(channel, folder):
    import importlib
    import sys
    sys.dont_write_bytecode = True
    sys.path.append(folder)
    import corpus_settings
    channel.send(corpus_settings.LEVEL)
    for text in channel:
        with open(corpus_settings.__file__, "w") as f:
            f.write(text)
        importlib.invalidate_caches()
        channel.send(importlib.reload(corpus_settings).LEVEL)


def drive(at):
    at.write("corpus_settings.py", "LEVEL = 1\n")
    channel = at.run(remote, folder=at.folder)
    at.receive(channel)
    for text in ["LEVEL = 'two'\n", "LEVEL = LEVEL * 2\n"]:
        channel.send(text)
        at.receive(channel)
    channel.send("LEVEL = (\n")
    at.follow(channel)
