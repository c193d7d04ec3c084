"""Fills a configuration from templates of three kinds."""


def remote(channel, values):
    import string
    template = string.Template("listen $port;\nroot ${root}/www; # $$5\n")
    channel.send(template.substitute(values))
    channel.send(template.safe_substitute(port=1))
    channel.send("{port:>6}|{root!r}|{extra[0]}|{extra[1]:.1f}".format(extra=("x", 2.345), **values))
    channel.send("%(root)s:%(port)05d" % values)
    template.substitute(port=1)


def drive(at):
    at.follow(at.run(remote, values={"port": 80, "root": "/srv"}))
