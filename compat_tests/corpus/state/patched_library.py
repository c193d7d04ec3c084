"""Replaces a function of the standard library for all that come after."""
OWN_GATEWAY = True


def drive(at):
    at.follow(at.run("""
        import time
        real = time.time
        time.time = lambda: 1234.5
        channel.send(time.time())
    """))
    at.follow(at.run("import time, logging; channel.send((time.time(), time.monotonic() != 1234.5))"))
    at.follow(at.run("import builtins; builtins.corpus_helper = lambda x: x * 2"))
    at.follow(at.run("channel.send(corpus_helper('ab'))"))
