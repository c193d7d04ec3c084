"""Collects lines until they are a whole statement, with codeop."""
import codeop

if __name__ == "__channelexec__":
    lines, results = [], {}
    compiler = codeop.CommandCompiler()
    for line in channel:
        lines.append(line)
        try:
            ready = compiler("\n".join(lines), "<typed>")
        except SyntaxError as e:
            channel.send(("bad", e.lineno))
            lines = []
            continue
        if ready is None:
            channel.send("...")
        else:
            exec(ready, results)
            channel.send((">>>", results.get("x")))
            lines = []


def drive(at):
    channel = at.run(at.module)
    for line in ["x = 1", "if x:", "    x = [", "  5]", "", "x = = 2", "x = '''a", "b'''"]:
        channel.send(line)
        at.receive(channel)
    channel.close()
