"""A module that the channel test sends, by name and from an embedded file system."""


def divide(a, b):
    return a / b  # line 5


if __name__ == "__channelexec__":
    channel.send(divide(8.0, 2))  # line 9
    divide(1, 0)  # line 10
