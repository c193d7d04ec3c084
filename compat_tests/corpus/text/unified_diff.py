"""Compares two texts with difflib."""

remote = """
import difflib
a, b = channel.receive()
channel.send(list(difflib.unified_diff(a.split('\\n'), b.split('\\n'), 'old', 'new', lineterm='', n=1)))
channel.send(round(difflib.SequenceMatcher(None, a, b).ratio(), 3))
channel.send(difflib.get_close_matches('appel', ['ape', 'apple', 'peach']))
"""


def drive(at):
    channel = at.run(remote)
    channel.send(("one\ntwo\nthree\nfour", "one\n2\nthree\nfour\nfive"))
    at.follow(channel)
