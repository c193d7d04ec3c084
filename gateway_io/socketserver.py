"""A socket server for one connection (protocol.md section 7.7). A worker executes this.

It receives the tuple (host, port) to listen on, and sends the tuple where it listens. From the
connection it reads one line, a string literal that holds source. It executes that source with the
names clientsock, address and execmodel. Python 2.7 and 3.
"""


def listen(socket, host, port):
    family, kind, proto, _, place = socket.getaddrinfo(
        host or None, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)[0]
    server = socket.socket(family, kind, proto)
    server.bind(place)
    server.listen(1)
    return server


def accept(server, socket, channel, patience=60):
    """The first connection. None if the driver closes the channel or does not connect."""
    step = 0.25
    server.settimeout(step)
    for _ in range(int(patience / step)):
        try:
            connection, address = server.accept()
        except socket.timeout:
            if channel.isclosed():
                break
        else:
            connection.setblocking(True)
            return connection, address


def read_line(connection):
    """Read one line; nothing if the connection ends within it.

    No byte after the line is read: those belong to the worker that the line starts.
    """
    parts = []
    while True:
        ahead = connection.recv(65536, 2)  # MSG_PEEK
        if not ahead:
            return b""
        part = connection.recv(ahead.find(b"\n") + 1 or len(ahead))
        parts.append(part)
        if part.endswith(b"\n"):
            return b"".join(parts)


def serve_one(channel):
    execmodel = channel.gateway.execmodel
    socket = execmodel.socket
    host, port = channel.receive()
    server = listen(socket, host, port)
    try:
        channel.send(tuple(server.getsockname()[:2]))
        accepted = accept(server, socket, channel)
    finally:
        server.close()
    line = accepted and read_line(accepted[0])
    if not line:
        return
    connection, address = accepted
    source = eval(line.decode("ascii").strip())
    scope = {"clientsock": connection, "address": address, "execmodel": execmodel,
             "__name__": "__socketserver__"}
    if source:
        exec(compile(source + "\n", "<socket server>", "exec"), scope)


if __name__ == "__channelexec__":
    serve_one(channel)  # noqa: F821
