# Runs in the workers of both libraries. A task is its name, a number of items, and for "give" the
# item to send or its length.
for task, n, item in channel:
    if task == "echo":
        for _ in range(n):
            channel.send(channel.receive())
    elif task == "take":
        for _ in range(n):
            channel.receive()
        channel.send(None)
    else:
        if not isinstance(item, bytes):
            item = bytes(item)
        for _ in range(n):
            channel.send(item)
