"""Takes a lock with fcntl, and shows that a second taker is refused until it is given back."""


def remote(channel, path):
    import fcntl
    import os
    first = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    second = os.open(path, os.O_RDWR)
    fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
        channel.send("both have it")
    except BlockingIOError as error:
        channel.send(error.strerror)
    fcntl.flock(first, fcntl.LOCK_UN)
    fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
    channel.send("taken")
    os.close(first)
    os.close(second)


def drive(at):
    at.follow(at.run(remote, path=at.folder + "/lock"))
