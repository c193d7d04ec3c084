"""What one execution defines, the next one does not see."""


def drive(at):
    at.follow(at.run("x = 5\ndef f(): return x\nchannel.send(f())"))
    at.follow(at.run("try:\n    x\nexcept NameError as e:\n    channel.send(str(e))\nchannel.send(sorted(n for n in globals() if not n.startswith('__')))"))
    at.follow(at.run("f()"))
