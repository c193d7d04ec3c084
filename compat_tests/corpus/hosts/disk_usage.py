"""The size of a folder, the file system's free space, and the mount point of a path."""


def remote(channel, path):
    import os
    import shutil
    usage = shutil.disk_usage(path)
    channel.send((usage.total > 0, usage.used + usage.free <= usage.total))
    info = os.statvfs(path)
    channel.send((info.f_bsize > 0, info.f_namemax))
    total = 0
    for at, _, names in os.walk(path):
        total += sum(os.path.getsize(os.path.join(at, name)) for name in names)
    channel.send(total)
    mount = os.path.realpath(path)
    while not os.path.ismount(mount):
        mount = os.path.dirname(mount)
    channel.send(mount)


def drive(at):
    at.write("a", "1" * 1000)
    at.write("b/c", "2" * 234)
    at.follow(at.run(remote, path=at.folder))
