"""A vector class with operators, comparison and iteration."""
import functools


@functools.total_ordering
class Vector:
    def __init__(self, *parts):
        self.parts = parts

    def __add__(self, other):
        return Vector(*[a + b for a, b in zip(self.parts, other.parts)])

    def __mul__(self, factor):
        if not isinstance(factor, (int, float)):
            return NotImplemented
        return Vector(*[a * factor for a in self.parts])

    __rmul__ = __mul__

    def __eq__(self, other):
        return self.parts == other.parts

    def __lt__(self, other):
        return self.parts < other.parts

    def __hash__(self):
        return hash(self.parts)

    def __iter__(self):
        return iter(self.parts)

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, index):
        return self.parts[index]

    def __repr__(self):
        return "Vector" + repr(self.parts)


if __name__ == "__channelexec__":
    v, w = Vector(1, 2), Vector(3, 4.5)
    channel.send([repr(x) for x in (v + w, v * 2, 3 * v, sorted([w, v])[0])])
    channel.send([v < w, v >= w, v == Vector(1, 2), len({v, Vector(1, 2)}), list(v), v[-1], 2 in v])
    v * "x"


def drive(at):
    at.follow(at.run(at.module))
