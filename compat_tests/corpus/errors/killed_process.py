"""The worker's process ends at once; the driver sees the channel close."""
OWN_GATEWAY = True


def drive(at):
    channel = at.run("import os; channel.send('last words'); os._exit(3)")
    at.receive(channel)
    try:
        at.receive(channel)
    except (EOFError, channel.RemoteError):
        at.note("ended")
