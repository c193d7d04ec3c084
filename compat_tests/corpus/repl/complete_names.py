"""Completes names for a remote shell with rlcompleter."""

remote = """
import rlcompleter
class Thing:
    alpha = 1
    alphabet = 2
completer = rlcompleter.Completer({'thing': Thing(), 'thimble': 3})
for prefix in channel:
    matches, n = [], 0
    while True:
        match = completer.complete(prefix, n)
        if match is None:
            break
        matches.append(match)
        n += 1
    channel.send(sorted(matches))
"""


def drive(at):
    channel = at.run(remote)
    for prefix in ["thi", "thing.alp", "nothing_here", "raise_"]:
        channel.send(prefix)
        at.receive(channel)
    channel.close()
