"""Takes a million float64 as an array of numpy, and gives it back."""
import json
import struct
import sys

import numpy

whole = numpy.arange(1000 * 1000, dtype="f8").reshape(1000, 1000) / 7


def total(array):
    return float(array.sum())


def give():
    return whole


def become_module(names):
    """Have calls find the functions in a module, as those of a user would be."""
    sys.modules["arrays"] = module = type(sys)("arrays")
    module.__dict__.update(names)


def serve(channel):
    for what, item in channel:
        if what == "list":
            channel.send(total(numpy.array(item)))
        elif what == "bytes":
            channel.send(total(numpy.frombuffer(item).reshape(1000, 1000)))
        elif what == "give list":
            channel.send(whole.tolist())
        else:
            channel.send(whole)


def serve_json():
    """Read and write texts of JSON, each with its length before it."""
    while True:
        size = sys.stdin.buffer.read(4)
        if not size:
            break
        item = json.loads(sys.stdin.buffer.read(struct.unpack("!I", size)[0]))
        answer = json.dumps(total(numpy.array(item)) if item is not None else whole.tolist()).encode()
        sys.stdout.buffer.write(struct.pack("!I", len(answer)) + answer)
        sys.stdout.buffer.flush()


