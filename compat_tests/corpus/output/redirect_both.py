"""Redirects stdout and stderr of later executions to two channels, with callbacks at the driver."""
OWN_GATEWAY = True


def drive(at):
    channel = at.run("""
        import sys
        out, err = channel.gateway.newchannel(), channel.gateway.newchannel()
        sys.stdout, sys.stderr = out.makefile('w'), err.makefile('w')
        channel.send((out, err))
    """)
    parts = {"out": [], "err": []}
    out, err = channel.receive(20)
    out.setcallback(parts["out"].append)
    err.setcallback(parts["err"].append)
    at.end(channel)
    at.end(at.run("""
        import sys
        print('to out')
        print('to err', file=sys.stderr)
        sys.stdout.write('last\\n')
    """))
    at.end(at.run("import sys; sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__"))
    at.note({name: "".join(texts) for name, texts in parts.items()})
