"""Feeds lines to a process line by line and sends what it answers."""


def remote(channel):
    import subprocess
    import sys
    code = "import sys\nfor line in iter(sys.stdin.readline, ''):\n    print(line.strip()[::-1], flush=True)"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             universal_newlines=True, bufsize=1)
    for word in channel:
        child.stdin.write(word + "\n")
        child.stdin.flush()
        channel.send(child.stdout.readline().rstrip("\n"))
    child.stdin.close()
    child.stdout.close()
    child.wait()


def drive(at):
    channel = at.run(remote)
    for word in ["stressed", "level", "\u00fcber"]:
        channel.send(word)
        at.receive(channel)
    channel.close()
