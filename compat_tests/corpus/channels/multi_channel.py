"""Two gateways work on parts of one list, each receiving over a MultiChannel."""
OWN_GATEWAY = True

remote = """
part = channel.receive()
channel.send(sum(part))
channel.send(channel.gateway.id)
"""


def drive(at):
    at.makegateway("corpus2")
    multi = at.group.remote_exec(remote)
    for n, channel in enumerate(multi):
        channel.send(list(range(n * 10, n * 10 + 10)))
    for channel in multi:
        at.follow(channel)
