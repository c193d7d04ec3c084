"""A threading server of the standard library counts requests; the driver is its client."""


def remote(channel):
    import socketserver
    import threading
    counted = []
    lock = threading.Lock()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                with lock:
                    counted.append(line.strip())
                self.wfile.write(b"ok\n")

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        channel.send(server.server_address[1])
        channel.receive()
        server.shutdown()
        thread.join()
    channel.send(sorted(counted))


def drive(at):
    import socket
    channel = at.run(remote)
    port = channel.receive(20)
    for name in [b"a\n", b"b\n"]:
        with socket.create_connection(("127.0.0.1", port), 20) as s:
            s.sendall(name)
            at.note(s.recv(10))
    channel.send("stop")
    at.follow(channel)
