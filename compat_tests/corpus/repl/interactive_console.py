"""A REPL on a channel: code.InteractiveInterpreter with output sent as items."""
import code
import contextlib
import io


if __name__ == "__channelexec__":
    interpreter = code.InteractiveInterpreter({"__name__": "repl"})
    for source in channel:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            more = interpreter.runsource(source, "<console>", "single")
        channel.send((bool(more), out.getvalue().splitlines()[-3:] if "Traceback" not in out.getvalue()
                      else out.getvalue().splitlines()[-1]))


def drive(at):
    channel = at.run(at.module)
    for source in ["x = 5", "x * 2", "'a' + 'b'", "def f(n):", "def f(n):\n    return n + x\n", "f(1)", "print('one'); print('two')",
                   "y", "for i in range(2):\n    print(i)\n"]:
        channel.send(source)
        at.receive(channel)
    channel.close()
