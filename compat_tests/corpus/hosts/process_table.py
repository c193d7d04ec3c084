"""Finds processes by their command line in /proc."""


def remote(channel):
    import os
    import subprocess
    import sys
    child = subprocess.Popen([sys.executable, "-c", "input()", "marker-of-this-program"], stdin=subprocess.PIPE)

    def command_lines():
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    yield int(pid), f.read().split(b"\0")
            except IOError:
                pass

    while b"marker-of-this-program" not in open("/proc/%d/cmdline" % child.pid, "rb").read():
        pass
    found = [pid for pid, command in command_lines() if b"marker-of-this-program" in command]
    channel.send(child.pid in found)
    with open("/proc/%d/status" % child.pid) as f:
        parent = [line.split()[1] for line in f if line.startswith("PPid:")]
    channel.send(int(parent[0]) == os.getpid())
    child.stdin.close()
    channel.send(child.wait())


def drive(at):
    items = at.follow(at.run(remote))
    assert len(items) == 3
