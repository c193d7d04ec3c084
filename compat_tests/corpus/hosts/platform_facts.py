"""The first facts that a deployment tool asks a host for: system, release, machine, Python."""
import platform
import sys


def platform_information():
    """The distribution, read from os-release as far as there is one."""
    release = {}
    try:
        with open("/etc/os-release") as f:
            for line in f:
                key, _, value = line.strip().partition("=")
                if value:
                    release[key] = value.strip("\"'")
    except IOError:
        pass
    return release.get("ID"), release.get("VERSION_ID"), release.get("PRETTY_NAME")


def machine_type():
    return platform.machine()


if __name__ == "__channelexec__":
    for task in channel:
        channel.send(eval(task))


def drive(at):
    channel = at.run(at.module)
    for task in ["platform_information()", "machine_type()", "platform.system()", "sys.version_info[:3]", "sys.platform", "platform.python_implementation()"]:
        channel.send(task)
        at.receive(channel)
    channel.send("no_such_task()")
    at.follow(channel)
