"""Sends the type, mode and size of all below a folder, depth first."""


def remote(channel, top):
    import os
    import stat

    def visit(path, depth):
        for entry in sorted(os.scandir(path), key=lambda e: e.name):
            info = entry.stat(follow_symlinks=False)
            kind = "d" if entry.is_dir(follow_symlinks=False) else "l" if entry.is_symlink() else "f"
            size = info.st_size if kind == "f" else None
            channel.send((depth, kind, entry.name, stat.filemode(info.st_mode), size))
            if kind == "d":
                visit(entry.path, depth + 1)

    visit(top, 0)


def drive(at):
    import os
    at.write("b/c", "12345")
    os.chmod(at.write("a", "x"), 0o755)
    os.symlink("a", at.folder + "/z")
    at.follow(at.run(remote, top=at.folder))
