"""Substitutes with functions and groups, splits, and finds all."""

remote = r"""
import re
text = channel.receive()
channel.send(re.sub(r'(\w+)@(\w+)\.org', lambda m: m.group(2).upper() + '/' + m.group(1), text))
channel.send(re.sub(r'(?P<a>\d+)-(?P<b>\d+)', r'\g<b>-\g<a>', text))
channel.send(re.split(r'[;,]\s*', text))
channel.send([m.span() for m in re.finditer(r'\b\w', text)][:4])
channel.send(re.findall(r'(\d)(\d)?', text))
channel.send((re.fullmatch(r'x+', 'xxy'), re.escape('a.b'), bool(re.match('(?i)ANN', text))))
re.compile('(unclosed')
"""


def drive(at):
    channel = at.run(remote)
    channel.send("ann@mail.org, bob@site.org; 12-345")
    at.follow(channel)
