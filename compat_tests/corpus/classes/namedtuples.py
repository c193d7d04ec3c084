"""Records as named tuples: they are sent as tuples."""


def remote(channel):
    from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
    Point = namedtuple("Point", "x y")
    p = Point(1, y=2)
    channel.send((tuple(p), p._asdict() == {"x": 1, "y": 2}, repr(p._replace(x=9))))
    channel.send(Counter("mississippi").most_common(2))
    groups = defaultdict(list)
    for word in ["apple", "bob", "avocado"]:
        groups[word[0]].append(word)
    channel.send(dict(groups))
    last = deque(maxlen=3)
    last.extend(range(10))
    channel.send(list(last))
    channel.send(list(OrderedDict([("z", 1), ("a", 2)])))
    channel.send(p)
