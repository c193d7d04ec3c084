"""A file object that writes to a list and to the channel."""

remote = """
import sys
class Tee:
    def __init__(self, *writers):
        self.writers = writers
    def write(self, text):
        for writer in self.writers:
            writer(text)
    def flush(self):
        pass
kept, joined = [], []
print('one', 2, file=Tee(kept.append, joined.append))
print(*'abc', sep='', end='!', file=Tee(kept.append))
channel.send((''.join(kept), ''.join(joined)))
print('x', file=Tee(lambda text: 1 / 0))
"""
