"""Statistics of numbers that arrive one by one."""


def remote(channel):
    import math
    import statistics
    numbers = list(iter(channel.receive, None))
    channel.send({"mean": statistics.mean(numbers), "median": statistics.median(numbers),
                  "deviation": round(statistics.pstdev(numbers), 9), "sum": math.fsum(numbers)})
    statistics.mean([])


def drive(at):
    channel = at.run(remote)
    for n in [3, 1.5, 4, 1, 5.25, None]:
        channel.send(n)
    at.follow(channel)
