"""Asks for the process id, the folder and the interpreter, as first examples do."""


def drive(at):
    import os
    import sys
    channel = at.run("import os; channel.send(os.getpid())")
    at.note(channel.receive(20) != os.getpid())
    channel = at.run("import os; channel.send(os.getcwd())")
    at.note(channel.receive(20) == os.getcwd())
    channel = at.run("import sys; channel.send((sys.executable, tuple(sys.version_info)))")
    executable, version = channel.receive(20)
    at.note(executable == sys.executable, version == tuple(sys.version_info))
