"""Asks the gateway for its status and its facts while a program runs and after it."""
OWN_GATEWAY = True


def drive(at):
    import sys
    import time
    channel = at.run("channel.receive()")
    status = at.gateway.remote_status()
    at.note((status.numexecuting, status.numchannels > 0))
    channel.send(None)
    at.end(channel)
    end = time.time() + 20
    while at.gateway.remote_status().numexecuting and time.time() < end:
        time.sleep(0.002)
    at.note(at.gateway.remote_status().numexecuting)
    info = at.gateway._rinfo()
    at.note(info.executable == sys.executable, list(info.version_info), info.platform, info.cwd)
