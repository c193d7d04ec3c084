"""Receives files as xdist's rsync does in spirit, and imports tests from where they were put."""
OWN_GATEWAY = True


def remote(channel, target):
    import os
    import sys
    while True:
        entry = channel.receive()
        if entry is None:
            break
        path, content = entry
        path = os.path.join(target, path)
        if not os.path.isdir(os.path.dirname(path)):
            os.makedirs(os.path.dirname(path))
        with open(path, "wb") as f:
            f.write(content)
        channel.send(("ack", entry[0], len(content)))
    sys.dont_write_bytecode = True
    sys.path.insert(0, target)
    os.chdir(target)
    from corpus_suite.checks import run
    channel.send(run())


def drive(at):
    channel = at.run(remote, target=at.folder + "/there")
    for name, content in [("corpus_suite/__init__.py", b""), ("corpus_suite/checks.py", b"import os\ndef run():\n    return sorted(os.listdir('corpus_suite'))\n"),
                          ("corpus_suite/data/x.txt", b"\x00")]:
        channel.send((name, content))
        at.receive(channel)
    channel.send(None)
    at.follow(channel)
