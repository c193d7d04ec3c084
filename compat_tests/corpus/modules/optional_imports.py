"""Chooses between modules that may be missing, and tells which it has got."""

remote = """
try:
    import cPickle as pickle
except ImportError:
    import pickle
try:
    from StringIO import StringIO
except ImportError:
    from io import StringIO
try:
    import no_such_yaml as yaml
except ImportError as e:
    yaml = None
    channel.send((str(e), e.name))
channel.send((pickle.__name__, StringIO.__name__, yaml))
module = __import__('os.path', fromlist=['join'])
channel.send(module.join('a', 'b'))
import importlib
channel.send(importlib.import_module('string').digits)
importlib.import_module('string.nothing')
"""
