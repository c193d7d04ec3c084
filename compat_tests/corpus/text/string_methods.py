"""Methods of strings in many combinations, without any import."""

remote = """
for s in channel:
    channel.send([s.upper(), s.title(), s.swapcase(), s.strip(), s.center(12, '*'), s.zfill(8)])
    channel.send([s.split(), s.rsplit(None, 1), s.partition('b'), s.splitlines(True), s.find('b'), s.count('a')])
    channel.send([s.isalpha(), s.isdigit(), s.isspace(), s.startswith(('a', 'x')), s.replace('a', '--', 1)])
    channel.send([s[::-1], s[1:-1], s * 2, 'a' in s, sorted(s), s.translate({97: 'A', 98: None}), s.expandtabs(4)])
"""


def drive(at):
    channel = at.run(remote)
    for s in ["abc", " a b\tc ", "", "x\ny\n", "\u00c4\u00df", "42"]:
        channel.send(s)
        for _ in range(4):
            at.receive(channel)
    channel.close()
