"""Runs a script file as __main__ with arguments, and sends what it has left."""
OWN_GATEWAY = True


def remote(channel, path, arguments):
    import runpy
    import sys
    before, sys.argv = sys.argv, [path] + arguments
    try:
        result = runpy.run_path(path, run_name="__main__")
    finally:
        sys.argv = before
    channel.send(result["total"])
    channel.send(result["__name__"])
    runpy.run_path(path, run_name="other")


def drive(at):
    path = at.write("script.py", "import sys\nif __name__ == '__main__':\n    total = sum(map(int, sys.argv[1:]))\nelse:\n    raise SystemExit('not main')\n")
    at.follow(at.run(remote, path=path, arguments=["3", "4"]))
