"""Everything that stat tells of a file: owner, links, times set by the program."""


def remote(channel, path):
    import os
    import stat
    import time
    os.utime(path, (1000000000, 1234567890.5))
    os.link(path, path + ".2")
    info = os.stat(path)
    channel.send((info.st_uid == os.getuid(), info.st_nlink, info.st_size, info.st_mtime, int(info.st_atime)))
    channel.send((stat.S_ISREG(info.st_mode), stat.S_IMODE(info.st_mode), stat.filemode(info.st_mode)))
    channel.send(os.path.samefile(path, path + ".2"))
    channel.send(time.strftime("%Y", time.gmtime(os.path.getmtime(path))))
    channel.send(info.st_ino == os.stat(path + ".2").st_ino and info.st_dev > 0)
    channel.send(os.access(path, os.R_OK))
    channel.send(info[6])


def drive(at):
    import os
    os.chmod(at.write("f", "content"), 0o604)
    at.follow(at.run(remote, path=at.folder + "/f"))
