"""A module whose functions the driver calls by name, with results and errors as messages."""
import os
import socket
import sys


def task_hostname():
    return socket.gethostname().split(".")[0]


def task_listdir(path, hidden=False):
    return sorted(n for n in os.listdir(path) if hidden or not n.startswith("."))


def task_path_exists(path):
    return os.path.exists(path)


def task_fail(kind):
    raise getattr(__builtins__, kind, None) or __import__("builtins").__dict__[kind]("on purpose")


def task_version():
    return "%d.%d" % sys.version_info[:2]


if __name__ == "__channelexec__":
    tasks = {name[5:]: f for name, f in list(globals().items()) if name.startswith("task_")}
    channel.send(sorted(tasks))
    for request in channel:
        name, kwargs = request
        try:
            channel.send(("ok", tasks[name](**kwargs)))
        except Exception as e:
            channel.send(("error", type(e).__name__, str(e)))


def drive(at):
    at.write(".hidden", "")
    at.write("seen", "")
    channel = at.run(at.module)
    at.receive(channel)
    for request in [("hostname", {}), ("listdir", {"path": at.folder}), ("listdir", {"path": at.folder, "hidden": True}),
                    ("path_exists", {"path": "/nowhere"}), ("version", {}), ("fail", {"kind": "ValueError"}),
                    ("unknown", {}), ("listdir", {"folder": "x"})]:
        channel.send(request)
        at.receive(channel)
    channel.close()
