"""Generators as pipelines: filters, send, close and yield from."""


def numbers(limit):
    n = 0
    while n < limit:
        step = yield n
        n += step or 1


def flattened(items):
    for item in items:
        if isinstance(item, (list, tuple)):
            yield from flattened(item)
        else:
            yield item


def averaged():
    total = count = 0
    average = None
    try:
        while True:
            total += yield average
            count += 1
            average = total / count
    finally:
        channel.send(("averaged", count))


if __name__ == "__channelexec__":
    counting = numbers(20)
    channel.send([next(counting), counting.send(5), next(counting), list(counting)])
    channel.send(list(flattened([1, [2, (3, [4]), []], "five"])))
    average = averaged()
    next(average)
    channel.send([average.send(x) for x in (1, 2, 6)])
    average.close()


def drive(at):
    at.follow(at.run(at.module))
