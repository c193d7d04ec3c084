"""Starts a process in the background, keeps its pid in a file, and stops it by that file."""


def remote(channel, pidfile):
    import os
    import signal
    import subprocess
    children = {}

    def start():
        child = subprocess.Popen(["sleep", "300"])
        children[child.pid] = child
        with open(pidfile, "w") as f:
            f.write(str(child.pid))
        return "started"

    def status():
        try:
            with open(pidfile) as f:
                os.kill(int(f.read()), 0)
            return "running"
        except (IOError, ProcessLookupError):
            return "stopped"

    def stop():
        with open(pidfile) as f:
            pid = int(f.read())
        os.kill(pid, signal.SIGTERM)
        code = children.pop(pid).wait()
        os.unlink(pidfile)
        return code

    actions = dict(start=start, status=status, stop=stop)
    for action in channel:
        channel.send(actions[action]())


def drive(at):
    channel = at.run(remote, pidfile=at.folder + "/pid")
    for action in ["status", "start", "status", "stop", "status"]:
        channel.send(action)
        at.receive(channel)
    channel.send("restart")
    at.follow(channel)
