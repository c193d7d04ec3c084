"""Forks, lets the child write a file, and sends its exit status."""
OWN_GATEWAY = True


def remote(channel, path):
    import os
    pid = os.fork()
    if pid == 0:
        try:
            with open(path, "w") as f:
                f.write("written by the child\n")
        finally:
            os._exit(5)
    done, status = os.waitpid(pid, 0)
    channel.send((done == pid, os.WIFEXITED(status), os.WEXITSTATUS(status)))
    with open(path) as f:
        channel.send(f.read())


def drive(at):
    at.follow(at.run(remote, path=at.folder + "/child.txt"))
