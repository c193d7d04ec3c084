"""Waits for a socket with a timeout, and meets refused connections."""


def remote(channel):
    import socket
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.settimeout(0.01)
    try:
        server.listen(1)
        server.accept()
    except socket.timeout as e:
        channel.send(str(e))
    port = server.getsockname()[1]
    server.close()
    try:
        socket.create_connection(("127.0.0.1", port), 5)
    except ConnectionRefusedError as e:
        channel.send(e.strerror)
