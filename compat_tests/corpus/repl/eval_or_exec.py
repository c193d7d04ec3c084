"""The small remote shell: an expression is evaluated, anything else executed."""

remote = """
space = {}
while True:
    line = channel.receive()
    if line == 'quit':
        break
    try:
        try:
            code = compile(line, '<line>', 'eval')
        except SyntaxError:
            exec(compile(line, '<line>', 'exec'), space)
            channel.send(None)
        else:
            channel.send(repr(eval(code, space)))
    except Exception as e:
        channel.send('! %s: %s' % (type(e).__name__, e))
channel.send('bye')
"""


def drive(at):
    channel = at.run(remote)
    for line in ["a = [1, 2]", "a + [3]", "a.append(9)", "a", "import math", "math.factorial(20)", "b", "1 +", "raise KeyError('k')", "quit"]:
        channel.send(line)
        at.receive(channel)
    at.end(channel)
