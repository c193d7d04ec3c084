"""Gives and takes channels as items and answers over each."""


def remote(channel):
    for item in channel:
        if item == "new":
            fresh = channel.gateway.newchannel()
            channel.send(fresh)
            fresh.send("over the new one")
            fresh.close()
        else:
            item.send("thanks")
            item.send(item.receive() * 2)
            item.close("enough")


def drive(at):
    channel = at.run(remote)
    channel.send("new")
    at.follow(channel.receive(20))
    mine = at.gateway.newchannel()
    channel.send(mine)
    mine.send(21)
    at.follow(mine)
    channel.close()
