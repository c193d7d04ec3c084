"""Takes work in batches, answers each with a summary, and refuses what it cannot do."""


def remote(channel):
    seen = 0
    for batch in channel:
        good, bad = [], []
        for item in batch:
            try:
                good.append(int(item))
            except (TypeError, ValueError) as error:
                bad.append((item, str(error)))
        seen += len(batch)
        channel.send({"seen": seen, "sum": sum(good), "bad": bad})


def drive(at):
    channel = at.run(remote)
    for batch in [["1", 2, "3"], [], ["x", None, "4.5", "-7"]]:
        channel.send(batch)
        at.receive(channel)
    channel.close()
