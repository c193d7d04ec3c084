"""Sends text as byte strings after reconfigure on the channel."""
OWN_GATEWAY = True

remote = """
channel.send(type(channel.receive()).__name__)
channel.reconfigure(py2str_as_py3str=True, py3str_as_py2str=False)
channel.send(channel.receive())
channel.send('text')
channel.send(b'bytes')
"""


def drive(at):
    channel = at.run(remote)
    channel.send("one")
    channel.send(b"two")
    at.follow(channel)
