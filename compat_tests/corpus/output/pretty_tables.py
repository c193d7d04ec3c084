"""Formats a table as text: widths, alignment, numbers."""

remote = """
import pprint, textwrap
rows = channel.receive()
widths = [max(len(str(row[i])) for row in rows) for i in range(len(rows[0]))]
for row in rows:
    channel.send(' | '.join(str(cell).rjust(w) if isinstance(cell, (int, float)) else str(cell).ljust(w) for cell, w in zip(row, widths)))
channel.send('{:>8.2f}|{:<6}|{:^7}|{:+d}|{:#x}|{!r}'.format(3.14159, 'ab', 'mid', 5, 255, 'q'))
channel.send('%-5s|%05d|%.3e|%%|%c' % ('x', 42, 12345.678, 'z'))
channel.send(pprint.pformat({'k%d' % i: list(range(i)) for i in range(6)}, width=40))
channel.send(textwrap.fill('the quick brown fox jumps over the lazy dog', 15, subsequent_indent='> '))
"""


def drive(at):
    channel = at.run(remote)
    channel.send([["name", "count"], ["apples", 12], ["figs", 3.5]])
    at.follow(channel)
