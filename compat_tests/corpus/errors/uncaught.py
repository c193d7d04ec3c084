"""Errors of several kinds, each with its traceback through nested calls."""

remote = """
def outer(kind):
    def inner():
        if kind == 'zero':
            return 1 // 0
        if kind == 'key':
            return {}[('a', 1)]
        if kind == 'attribute':
            return None.nothing
        if kind == 'type':
            return len(5)
        if kind == 'name':
            return undefined_name
        if kind == 'assert':
            assert kind == 'other', ('message', 1)
        if kind == 'unpack':
            a, b = [1, 2, 3]
        if kind == 'unicode':
            return b'\\xff'.decode('utf-8')
        if kind == 'index':
            return 'abc'[7]
        if kind == 'int':
            return int('4x')
    return inner()

outer(channel.receive())
"""


def drive(at):
    for kind in ["zero", "key", "attribute", "type", "name", "assert", "unpack", "unicode", "index", "int"]:
        channel = at.run(remote)
        channel.send(kind)
        at.end(channel)
