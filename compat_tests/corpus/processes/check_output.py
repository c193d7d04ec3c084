"""Uses check_output and friends, and lets CalledProcessError reach the driver."""


def remote(channel):
    import subprocess
    channel.send(subprocess.check_output(["echo", "one"]))
    channel.send(subprocess.check_call(["true"]))
    channel.send(subprocess.call(["false"]))
    try:
        subprocess.check_output("echo text; exit 4", shell=True)
    except subprocess.CalledProcessError as e:
        channel.send((e.returncode, e.cmd, e.output))
    subprocess.check_call(["sh", "-c", "exit 7"])
