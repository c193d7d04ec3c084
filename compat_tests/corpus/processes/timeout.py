"""Kills a process that takes too long and reports that."""


def remote(channel, seconds):
    import subprocess
    try:
        subprocess.run(["sleep", "60"], timeout=seconds)
    except subprocess.TimeoutExpired as expired:
        channel.send(("expired", expired.cmd, round(expired.timeout, 2)))
    process = subprocess.Popen(["sleep", "60"])
    channel.send(process.poll())
    process.kill()
    channel.send(process.wait())


def drive(at):
    at.follow(at.run(remote, seconds=0.05))
