"""Reports its progress as items while it works, and the result at the end."""


def remote(channel, amount):
    done = 0
    while done < amount:
        done += 7
        channel.send(("progress", min(100, 100 * done // amount)))
    channel.send(("result", sum(range(amount))))


def drive(at):
    at.follow(at.run(remote, amount=50))
