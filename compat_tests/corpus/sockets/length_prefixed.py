"""Speaks a protocol with lengths in front of messages, packed with struct."""


def remote(channel):
    import socket
    import struct
    import threading

    def read_exactly(s, n):
        parts = []
        while n:
            part = s.recv(n)
            if not part:
                raise EOFError("peer closed")
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    def read_message(s):
        return read_exactly(s, struct.unpack("!I", read_exactly(s, 4))[0])

    def write_message(s, data):
        s.sendall(struct.pack("!I", len(data)) + data)

    ours, theirs = socket.socketpair()

    def peer():
        while True:
            message = read_message(theirs)
            if message == b"quit":
                theirs.close()
                return
            write_message(theirs, b"<%d>" % len(message))

    thread = threading.Thread(target=peer)
    thread.start()
    for message in [b"", b"abc", b"z" * 200000]:
        write_message(ours, message)
        channel.send(read_message(ours))
    write_message(ours, b"quit")
    thread.join()
    try:
        read_message(ours)
    finally:
        ours.close()
