"""Joins three processes by pipes, as a shell would."""

remote = r"""
from subprocess import Popen, PIPE
words = channel.receive()
printf = Popen(['printf', '%s\n'] + words, stdout=PIPE)
sort = Popen(['sort'], stdin=printf.stdout, stdout=PIPE)
printf.stdout.close()
uniq = Popen(['uniq', '-c'], stdin=sort.stdout, stdout=PIPE)
sort.stdout.close()
for line in uniq.communicate()[0].decode().splitlines():
    count, word = line.split()
    channel.send((int(count), word))
channel.send([p.wait() for p in (printf, sort, uniq)])
"""


def drive(at):
    channel = at.run(remote)
    channel.send("the cat and the dog and the cow".split())
    at.follow(channel)
