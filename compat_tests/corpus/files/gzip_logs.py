"""Compresses old files and removes the originals."""


def remote(channel, folder, keep):
    import glob
    import gzip
    import os
    import shutil
    for path in sorted(glob.glob(os.path.join(folder, "*.log")))[:-keep]:
        with open(path, "rb") as source, open(path + ".gz", "wb") as raw:
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as target:
                shutil.copyfileobj(source, target)
        os.remove(path)
        with gzip.open(path + ".gz", "rt") as f:
            channel.send((os.path.basename(path), f.readline()))


def drive(at):
    for day in range(1, 6):
        at.write("day%d.log" % day, "line of day %d\n" % day * 50)
    at.follow(at.run(remote, folder=at.folder, keep=2))
    import os
    for name in os.listdir(at.folder):
        if name.endswith(".gz"):
            os.remove(os.path.join(at.folder, name))
