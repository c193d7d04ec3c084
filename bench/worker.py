# Runs in the workers of both libraries. A task is its name, a number of items, and the item to send
# for "give".
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
