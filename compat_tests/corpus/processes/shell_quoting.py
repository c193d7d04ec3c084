"""Builds command lines with shlex and splits them again."""


def remote(channel, names):
    import shlex
    import subprocess
    line = "printf '<%s>' " + " ".join(shlex.quote(name) for name in names)
    channel.send(subprocess.check_output(line, shell=True).decode())
    channel.send(shlex.split(line)[2:] == names)
    channel.send(shlex.split("a 'b c' \"d \\\" e\" f\\ g # no comment"))


def drive(at):
    at.follow(at.run(remote, names=["plain", "two words", "it's", "$HOME", "a;b", ""]))
