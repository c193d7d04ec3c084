"""Sends what is printed as items, by a file of the channel."""
OWN_GATEWAY = True


def drive(at):
    out = at.run("import sys; sys.stdout = channel.makefile('w', proxyclose=False)\nchannel.send('set')\nchannel.receive()")
    at.receive(out)
    printing = at.run("print('hello', 1, sep='-')\nprint()\nimport sys; sys.stdout.write('more\\n'); sys.stdout.flush()")
    at.end(printing)
    out.send(None)
    at.note("".join(out))
