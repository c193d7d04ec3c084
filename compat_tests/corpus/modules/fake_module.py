"""Puts an object of its own into sys.modules in place of a module, and takes it out again."""
OWN_GATEWAY = True

remote = """
import sys
class Fake:
    answer = 42
    def __getattr__(self, name):
        return 'made ' + name
sys.modules['corpus_fake'] = Fake()
import corpus_fake
from corpus_fake import answer, anything
channel.send((answer, anything, corpus_fake.more))
sys.modules['corpus_fake'] = None
try:
    import corpus_fake
except ImportError as e:
    channel.send(type(e).__name__)
del sys.modules['corpus_fake']
channel.send('corpus_fake' in sys.modules)
import corpus_fake
"""
