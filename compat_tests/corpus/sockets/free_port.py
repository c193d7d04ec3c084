"""Finds free ports, and which of a list of ports are taken."""


def remote(channel):
    import socket
    holders = []
    for _ in range(3):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(5)
        holders.append(s)
    ports = [s.getsockname()[1] for s in holders]
    channel.send(len(set(ports)) == 3 and all(0 < p < 65536 for p in ports))
    holders.pop().close()
    for port in ports:
        probe = socket.socket()
        probe.settimeout(2)
        channel.send(probe.connect_ex(("127.0.0.1", port)) == 0)
        probe.close()
    for s in holders:
        s.close()
