"""Makes a release folder and points the link "current" at it, as deployment scripts do."""


def remote(channel, base, release):
    import os
    target = os.path.join(base, "releases", release)
    os.makedirs(target)
    with open(os.path.join(target, "VERSION"), "w") as f:
        f.write(release)
    link = os.path.join(base, "current")
    before = os.readlink(link) if os.path.islink(link) else None
    os.symlink(os.path.join("releases", release), link + ".tmp")
    os.replace(link + ".tmp", link)
    channel.send((before, os.readlink(link), open(os.path.join(link, "VERSION")).read()))


def drive(at):
    for release in ["1.0", "1.1", "2.0rc1"]:
        at.follow(at.run(remote, base=at.folder, release=release))
    at.follow(at.run(remote, base=at.folder, release="2.0rc1"))
