"""Compiles on one side and runs code objects from bytes with marshal."""

remote = """
import marshal, types
code = compile('def f(x, y=2):\\n    return x ** y\\nresult = f(3)', '<made>', 'exec')
space = {}
exec(marshal.loads(marshal.dumps(code)), space)
channel.send((space['result'], space['f'].__code__.co_filename, space['f'].__defaults__))
again = types.FunctionType(space['f'].__code__, {}, 'again', (5,))
channel.send(again(2))
channel.send(marshal.loads(marshal.dumps([1, 'x', {2: None}])))
marshal.loads(b'')
"""
