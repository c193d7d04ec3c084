"""Keeps a value for each thread in threading.local, and names threads."""


def remote(channel, names):
    import threading
    local = threading.local()
    local.name = "program"
    seen = {}

    def run():
        seen[threading.current_thread().name] = hasattr(local, "name")
        local.name = threading.current_thread().name
        seen[local.name + "'s"] = local.name

    for name in names:
        thread = threading.Thread(target=run, name=name)
        thread.start()
        thread.join()
    channel.send(seen)
    channel.send(local.name)


def drive(at):
    at.follow(at.run(remote, names=["north", "south"]))
