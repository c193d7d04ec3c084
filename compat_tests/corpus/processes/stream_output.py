"""Sends the output of a long command while it runs, with the stream that each line came from."""


def remote(channel, command):
    import subprocess
    import threading
    process = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    lock, lines = threading.Lock(), {"out": [], "err": []}

    def pump(name, stream):
        for line in stream:
            with lock:
                lines[name].append(line.decode().rstrip())
        stream.close()

    pumps = [threading.Thread(target=pump, args=(name, getattr(process, "std" + name))) for name in ("out", "err")]
    for thread in pumps:
        thread.start()
    for thread in pumps:
        thread.join()
    channel.send(process.wait())
    channel.send(lines)


def drive(at):
    at.follow(at.run(remote, command="for i in 1 2 3; do echo out $i; echo err $i >&2; done; exit 1"))
