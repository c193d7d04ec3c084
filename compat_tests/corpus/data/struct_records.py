"""Packs and unpacks binary records with struct."""

remote = """
import struct
record = struct.Struct('<HbxI8sd')
packed = [record.pack(n, -n, n * 1000, ('name%d' % n).encode(), n / 3) for n in range(3)]
channel.send(b''.join(packed))
channel.send([record.unpack(p)[:4] for p in packed])
channel.send((record.size, struct.calcsize('@iP') > 0, struct.unpack('>I', b'\\x00\\x00\\x01\\x00')[0]))
channel.send(list(struct.iter_unpack('>h', b'\\xff\\xfe\\x00\\x02')))
struct.pack('B', 256)
"""
