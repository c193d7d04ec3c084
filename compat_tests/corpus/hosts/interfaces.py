"""Addresses of the host by a connected datagram socket, and names of interfaces."""


def remote(channel):
    import ipaddress
    import socket
    channel.send("lo" in [name for _, name in socket.if_nameindex()])
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.connect(("127.0.0.1", 9))
    channel.send(s.getsockname()[0])
    s.close()
    net = ipaddress.ip_network("10.2.0.0/29")
    channel.send([str(h) for h in net.hosts()])
    channel.send(ipaddress.ip_address("10.2.0.9") in net)
    ipaddress.ip_address("10.2.0.300")
