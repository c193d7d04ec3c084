"""Remote functions that write configuration files and make folders with an owner and a mode."""
import errno
import os
import pwd
import tempfile


def write_conf(folder, name, conf, overwrite):
    """Writes a configuration, but not over a different one."""
    path = os.path.join(folder, name)
    tmp = tempfile.NamedTemporaryFile("w", dir=folder, delete=False)
    tmp.write(conf)
    tmp.close()
    if os.path.exists(path):
        with open(path) as f:
            old = f.read()
        if old != conf and not overwrite:
            os.unlink(tmp.name)
            raise RuntimeError("config file %s exists with different content" % name)
    os.rename(tmp.name, path)


def safe_makedirs(path, mode=0o750):
    try:
        os.makedirs(path, mode)
    except OSError as e:
        if e.errno != errno.EEXIST:
            raise
    os.chown(path, os.getuid(), os.getgid())
    return oct(os.stat(path).st_mode & 0o777)


def owner(path):
    return pwd.getpwuid(os.stat(path).st_uid).pw_name


if __name__ == "__channelexec__":
    for name, args in channel:
        channel.send(globals()[name](*args))


def drive(at):
    channel = at.run(at.module)
    for call in [("safe_makedirs", [at.folder + "/etc/app"]), ("safe_makedirs", [at.folder + "/etc/app"]),
                 ("write_conf", [at.folder + "/etc/app", "app.conf", "[global]\nid = 1\n", False]),
                 ("write_conf", [at.folder + "/etc/app", "app.conf", "[global]\nid = 1\n", False]),
                 ("write_conf", [at.folder + "/etc/app", "app.conf", "[global]\nid = 2\n", True]),
                 ("owner", [at.folder])]:
        channel.send(call)
        at.receive(channel)
    channel.send(("write_conf", [at.folder + "/etc/app", "app.conf", "other", False]))
    at.follow(channel)
