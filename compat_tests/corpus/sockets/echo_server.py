"""Serves one connection of a TCP socket, to which the driver connects."""


def remote(channel):
    import socket
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    channel.send(server.getsockname()[1])
    connection, address = server.accept()
    while True:
        data = connection.recv(1024)
        if not data:
            break
        connection.sendall(data.upper())
    connection.close()
    server.close()
    channel.send(address[0])


def drive(at):
    import socket
    channel = at.run(remote)
    with socket.create_connection(("127.0.0.1", channel.receive(20)), 20) as s:
        s.sendall(b"shout this")
        s.shutdown(socket.SHUT_WR)
        at.note(s.makefile("rb").read())
    at.follow(channel)
