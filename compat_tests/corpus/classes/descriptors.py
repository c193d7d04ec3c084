"""Descriptors check values when attributes are set; __slots__ refuses others."""


class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return self if instance is None else getattr(instance, self.name)

    def __set__(self, instance, value):
        if value <= 0:
            raise ValueError("%s must be positive, not %r" % (self.name[1:], value))
        setattr(instance, self.name, value)


class Box:
    __slots__ = ("_width", "_height")
    width = Positive()
    height = Positive()

    def __init__(self, width, height):
        self.width, self.height = width, height


if __name__ == "__channelexec__":
    box = Box(2, 3)
    box.width += 1
    channel.send(box.width * box.height)
    for change in [lambda: setattr(box, "depth", 1), lambda: Box(1, -1)]:
        try:
            change()
        except (AttributeError, ValueError) as e:
            channel.send((type(e).__name__, "depth" in str(e) or str(e)))


def drive(at):
    at.follow(at.run(at.module))
