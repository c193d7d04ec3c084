"""Sets limits of the interpreter, which stay, and reads its switches."""
OWN_GATEWAY = True


def drive(at):
    at.follow(at.run("import sys; sys.setrecursionlimit(700); channel.send(sys.getrecursionlimit())"))
    at.follow(at.run("""
        import sys
        def deep(n):
            return n and deep(n - 1)
        channel.send((sys.getrecursionlimit(), deep(300)))
        try:
            deep(2000)
        except RecursionError:
            channel.send('too deep')
    """))
    at.follow(at.run("import sys; channel.send((sys.flags.optimize, sys.flags.ignore_environment, len(sys.argv) > 0, sys.byteorder))"))
