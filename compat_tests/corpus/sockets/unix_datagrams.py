"""Exchanges messages over a pair of Unix sockets and a bound one."""


def remote(channel, folder):
    import os
    import socket
    a, b = socket.socketpair()
    a.sendall(b"ping")
    channel.send(b.recv(10))
    a.close()
    channel.send(b.recv(10))
    b.close()
    path = os.path.join(folder, "s")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    server.bind(path)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    client.sendto(b"datagram", path)
    channel.send(server.recvfrom(100)[0])
    client.close()
    server.close()
    os.unlink(path)


def drive(at):
    at.follow(at.run(remote, folder=at.folder))
