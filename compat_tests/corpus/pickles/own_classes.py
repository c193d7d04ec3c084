"""Pickles instances of a class that is in a module of its own, made at run time."""

remote = """
import pickle, sys, types
module = types.ModuleType('shapes_of_corpus')
sys.modules['shapes_of_corpus'] = module
exec('''
class Square:
    def __init__(self, side):
        self.side = side
    def __eq__(self, other):
        return self.side == other.side
    def __getstate__(self):
        return {'side': self.side, 'saved': True}
''', module.__dict__)
data = pickle.dumps([module.Square(3), module.Square(3)])
back = pickle.loads(data)
channel.send((back[0] == back[1], back[0].saved, type(back[0]).__module__))
del sys.modules['shapes_of_corpus']
try:
    pickle.loads(data)
except ModuleNotFoundError as e:
    channel.send(str(e))
pickle.loads(b'\\x80\\x04.')
"""
