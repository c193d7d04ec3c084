"""Exchanges arrays as bytes with their shape and type, if the host has numpy."""

remote = """
try:
    import numpy
except ImportError:
    numpy = None
for shape, dtype, data in channel:
    if numpy is None:
        channel.send('no numpy')
        continue
    a = numpy.frombuffer(data, dtype=dtype).reshape(shape)
    b = numpy.cumsum(a, axis=0)
    channel.send((list(b.shape), str(b.dtype), b.tobytes()))
"""


def drive(at):
    import array
    channel = at.run(remote)
    for values, shape in [([1, 2, 3, 4, 5, 6], (2, 3)), ([0] * 4, (4,))]:
        channel.send((shape, "float64", array.array("d", values).tobytes()))
        at.receive(channel)
    channel.close()
