"""A tree of dataclasses, made from nested dicts and turned back into them."""
from dataclasses import asdict, field, make_dataclass


class Methods:
    def total(self):
        return self.size + sum(child.total() for child in self.children)

    @classmethod
    def parse(cls, data):
        return cls(data["name"], data.get("size", 0), [cls.parse(d) for d in data.get("children", ())])


Node = make_dataclass("Node", ["name", ("size", int, 0), ("children", list, field(default_factory=list, compare=False))],
                      bases=(Methods,), order=True)


if __name__ == "__channelexec__":
    tree = Node.parse(channel.receive())
    channel.send((tree.total(), repr(max(tree.children))))
    channel.send(asdict(tree))


def drive(at):
    channel = at.run(at.module)
    channel.send({"name": "root", "children": [{"name": "b", "size": 3}, {"name": "a", "size": 9, "children": [{"name": "x", "size": 1}]}]})
    at.follow(channel)
