"""Forwards a TCP connection through the channel: what arrives is sent, what is received is written."""


def remote(channel, port):
    import socket
    s = socket.create_connection(("127.0.0.1", port))

    def to_socket(data):
        if data is None:
            s.shutdown(socket.SHUT_WR)
        else:
            s.sendall(data)

    channel.setcallback(to_socket, endmarker=None)
    while True:
        data = s.recv(4096)
        if not data:
            break
        channel.send(data)
    s.close()


def drive(at):
    import socket
    import threading
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)

    def serve():
        connection, _ = server.accept()
        with connection, connection.makefile("rb") as f:
            for line in f:
                connection.sendall(line.strip()[::-1] + b"\n")
                if line == b"bye\n":
                    break
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with server:
        channel = at.run(remote, port=server.getsockname()[1])
        channel.send(b"abc\nde")
        channel.send(b"f\nbye\n")
        at.note(b"".join(iter(channel)))
        thread.join()
