"""Looks at the channel: its id, state, gateway, and methods that must not be called."""

remote = """
channel.send((channel.id % 2, channel.isclosed(), type(channel).__name__))
channel.send(channel.gateway.id)
other = channel.gateway.newchannel()
channel.send((other.id % 2, other.isclosed()))
other.close()
channel.send(other.isclosed())
try:
    other.send(1)
except IOError as e:
    channel.send(type(e).__name__)
channel.send(repr(channel).startswith('<Channel id='))
channel.setcallback(print)
channel.receive()
"""
