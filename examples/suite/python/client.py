"""The client of the service whose address is in the environment variable SERVICE."""
import os
from urllib.request import urlopen


def url(counter):
    return "http://%s/%s" % (os.environ["SERVICE"], counter)


def value(counter):
    with urlopen(url(counter)) as answer:
        return int(answer.read())


def add(counter, by):
    print("adding", by, "to", counter)
    with urlopen(url(counter), data=b"by=%d" % by) as answer:
        return int(answer.read())
