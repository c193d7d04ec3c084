"""Arrays of numbers and views of their bytes."""


def remote(channel):
    from array import array
    numbers = array("h", [1, -2, 300])
    numbers.append(4)
    channel.send((numbers.tolist(), numbers.itemsize, len(numbers.tobytes())))
    buffer = bytearray(b"0123456789")
    view = memoryview(buffer)
    view[2:4] = b"ab"
    channel.send((bytes(buffer), bytes(view[::3]), len(view)))
    channel.send(int.from_bytes(buffer[:2], "big"))
    channel.send((1024).to_bytes(3, "little"))
    channel.send(bytes.fromhex("00ff10").hex())
    channel.send(array)
