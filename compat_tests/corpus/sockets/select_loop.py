"""A small event loop with select over three socket pairs."""


def remote(channel):
    import select
    import socket
    pairs = [socket.socketpair() for _ in range(3)]
    for number, (ours, theirs) in enumerate(pairs):
        theirs.sendall(b"x" * (number + 1))
        theirs.close()
    open_ones, got = {ours: b"" for ours, _ in pairs}, []
    while open_ones:
        readable, _, _ = select.select(list(open_ones), [], [], 5)
        for s in readable:
            data = s.recv(1)
            if data:
                open_ones[s] += data
            else:
                got.append(open_ones.pop(s))
                s.close()
    channel.send(sorted(got))
    channel.send([list(part) for part in select.select([], [], [], 0)])
