"""Imports the user's own package from a folder that is put on sys.path."""
OWN_GATEWAY = True


def remote(channel, folder):
    import sys
    sys.path.insert(0, folder)
    from corpuspkg import helpers
    from corpuspkg.deep.calc import area
    channel.send((helpers.greet("you"), area(2, 3), helpers.__name__, area.__module__))
    import corpuspkg
    channel.send(corpuspkg.VERSION)
    import corpuspkg.broken


def drive(at):
    at.write("corpuspkg/__init__.py", "VERSION = (1, 2)\n")
    at.write("corpuspkg/helpers.py", "from .deep.calc import area\n\ndef greet(who):\n    return 'hi ' + who + str(area(1, 1))\n")
    at.write("corpuspkg/deep/__init__.py", "")
    at.write("corpuspkg/deep/calc.py", "def area(a, b):\n    return a * b\n")
    at.write("corpuspkg/broken.py", "import no_such_module_here\n")
    at.follow(at.run(remote, folder=at.folder))
