"""Resolves names, as scripts do that check a host's name service."""


def remote(channel, names):
    import socket
    for name in names:
        try:
            infos = socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)
            channel.send((name, sorted({info[4][0] for info in infos})))
        except socket.gaierror as error:
            channel.send((name, "gaierror", isinstance(error, OSError)))
    channel.send(socket.inet_ntoa(socket.inet_aton("10.1.2.3")))
    channel.send(socket.htons(1) in (1, 256))


def drive(at):
    at.follow(at.run(remote, names=["localhost", "127.0.0.1", "no-such-host.invalid"]))
