"""Star imports, __all__, and a submodule as an attribute."""
OWN_GATEWAY = True

remote = """
import sys
folder = channel.receive()
sys.path.insert(0, folder)
from corpus_star import *
channel.send(sorted(n for n in ('shown', '_hidden', 'other') if n in globals()))
import corpus_star
channel.send((corpus_star._hidden, hasattr(corpus_star, '__path__')))
from os.path import *
channel.send(basename('/a/b'))
from corpus_star import nothing
"""


def drive(at):
    at.write("corpus_star.py", "__all__ = ['shown']\nshown, _hidden, other = 1, 2, 3\n")
    channel = at.run(remote)
    channel.send(at.folder)
    at.follow(channel)
