"""Gives a child an environment and a folder of its own."""


def remote(channel, folder, extra):
    import os
    import subprocess
    env = dict(os.environ, **extra)
    env.pop("HOME", None)
    script = 'echo "$GREETING from $(basename "$PWD")"; echo "home: ${HOME-none}"'
    out = subprocess.check_output(["/bin/sh", "-c", script], env=env, cwd=folder)
    channel.send(out.decode("ascii").splitlines())
    channel.send("GREETING" in os.environ)


def drive(at):
    import os
    os.mkdir(at.folder + "/work")
    at.follow(at.run(remote, folder=at.folder + "/work", extra={"GREETING": "good day"}))
