"""Merges sorted runs, keeps the largest items, and finds places in sorted lists."""

remote = """
import bisect, heapq, itertools, operator
heap = []
for n in channel.receive():
    heapq.heappush(heap, n)
channel.send([heapq.heappop(heap) for _ in range(3)])
channel.send(heapq.nlargest(2, heap))
channel.send(list(heapq.merge([1, 4, 9], [2, 3, 10])))
grades = [60, 70, 80]
channel.send([bisect.bisect(grades, g) for g in (59, 60, 99)])
channel.send([(k, len(list(g))) for k, g in itertools.groupby('aaabcc')])
channel.send(list(itertools.accumulate([1, 2, 3], operator.mul)))
channel.send(list(itertools.islice(itertools.count(5, 5), 3)))
"""


def drive(at):
    channel = at.run(remote)
    channel.send([5, 2, 8, 1, 9, 3])
    at.follow(channel)
