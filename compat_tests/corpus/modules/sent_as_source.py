"""Makes a module of source that arrives, puts it into sys.modules, and imports it by name."""
OWN_GATEWAY = True


def remote(channel):
    import sys
    import types
    for name, source in channel:
        module = types.ModuleType(name, "sent by the driver")
        module.__file__ = "<sent %s>" % name
        exec(compile(source, module.__file__, "exec"), module.__dict__)
        sys.modules[name] = module
        channel.send(sorted(n for n in vars(module) if not n.startswith("_")))
    import corpus_b
    channel.send(corpus_b.double_of_a())


def drive(at):
    channel = at.run(remote)
    for pair in [("corpus_a", "VALUE = 21\n"), ("corpus_b", "import corpus_a\n\ndef double_of_a():\n    return corpus_a.VALUE * 2\n")]:
        channel.send(pair)
        at.receive(channel)
    channel.close()
    at.follow(at.run("import corpus_b\nchannel.send((corpus_b.__doc__, corpus_b.double_of_a()))\nimport corpus_c"))
