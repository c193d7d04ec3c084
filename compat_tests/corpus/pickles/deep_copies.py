"""Copies nested values and keeps identities within them."""

remote = """
import copy
shared = [1]
original = {'a': shared, 'b': shared, 't': (shared,)}
shallow, deep = copy.copy(original), copy.deepcopy(original)
shared.append(2)
channel.send(shallow)
channel.send(deep)
channel.send((deep['a'] is deep['b'], deep['t'][0] is deep['a'], shallow['a'] is shared))
loop = []
loop.append(loop)
copied = copy.deepcopy(loop)
channel.send(copied[0] is copied and copied is not loop)
"""
