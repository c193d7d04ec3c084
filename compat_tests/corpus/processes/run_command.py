"""Runs a list of commands and sends their status, output and error output."""


def remote(channel):
    import subprocess
    for command in channel:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        out, err = process.communicate()
        channel.send((process.returncode, out, err))


def drive(at):
    channel = at.run(remote)
    for command in [["echo", "hello", "world"], ["sh", "-c", "echo oops >&2; exit 3"], ["true"], ["printf", "%s|", "a b", "c"]]:
        channel.send(command)
        at.receive(channel)
    channel.send(["/no/such/program"])
    at.follow(channel)
