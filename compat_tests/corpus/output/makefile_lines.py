"""Writes lines into a file of a channel and reads lines from another."""

remote = """
out = channel.makefile('w')
reader = channel.makefile('r')
while True:
    line = reader.readline()
    if not line or line == 'end\\n':
        break
    out.write(line.upper())
out.write('rest: ' + reader.read(4))
"""


def drive(at):
    channel = at.run(remote)
    for text in ["first\nsec", "ond\n", "end\nabc", "def"]:
        channel.send(text)
    at.follow(channel)
