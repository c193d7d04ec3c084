"""The driver drops its end; the program goes on sending into nothing and notices the end."""


def remote(channel, path):
    import time
    channel.send("begin")
    end = time.time() + 20
    try:
        while time.time() < end:
            channel.send("x" * 100)
            time.sleep(0.001)
    except IOError as error:
        with open(path, "w") as f:
            f.write(type(error).__name__)


def drive(at):
    import os
    import time
    channel = at.run(remote, path=at.folder + "/end")
    at.receive(channel)
    channel.close()
    end = time.time() + 20
    while not (os.path.exists(at.folder + "/end") and os.path.getsize(at.folder + "/end")) and time.time() < end:
        time.sleep(0.002)
