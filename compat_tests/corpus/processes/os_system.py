"""Uses the old ways to run commands: os.system and os.popen."""


def remote(channel, folder):
    import os
    channel.send(os.system("echo made > '%s/made'" % folder) >> 8)
    channel.send(os.system("exit 9") >> 8)
    with os.popen("cat '%s/made'; echo more" % folder) as out:
        channel.send(out.read())
    closing = os.popen("exit 2")
    closing.read()
    channel.send(closing.close())


def drive(at):
    at.follow(at.run(remote, folder=at.folder))
