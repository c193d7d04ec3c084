"""Closes a channel with an error, which the other end gets, in both directions."""


def remote(channel):
    inner = channel.receive()
    try:
        inner.receive()
    except channel.RemoteError as error:
        channel.send("got " + str(error.formatted))
    other = channel.gateway.newchannel()
    channel.send(other)
    other.close("said by the program")


def drive(at):
    channel, inner = at.run(remote), at.gateway.newchannel()
    channel.send(inner)
    inner.close("said by the driver")
    at.receive(channel)
    at.end(channel.receive(20))
    at.end(channel)
