# What runs in the workers of both libraries: a task is its name, a number of items, and one of
# them.
for task, n, item in channel:
    if task == "echo":
        for _ in range(n):
            channel.send(channel.receive())
    elif task == "take":
        for _ in range(n):
            channel.receive()
        channel.send(None)
    else:
        for _ in range(n):
            channel.send(item)
