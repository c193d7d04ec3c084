"""Files and trees of files as a whole, on top of os."""
import os
import _shutil

__all__ = ["copyfileobj", "copyfile", "copymode", "copystat", "copy", "copy2", "copytree", "move", "rmtree", "Error",
           "SpecialFileError", "which", "ignore_patterns", "SameFileError", "disk_usage"]


class Error(OSError):
    pass


class SameFileError(Error):
    pass


class SpecialFileError(OSError):
    pass


def copyfileobj(fsrc, fdst, length=0):
    while True:
        data = fsrc.read(length or 65536)
        if not data:
            break
        fdst.write(data)


def _same(src, dst):
    try:
        return os.path.samefile(src, dst)
    except OSError:
        return False


def copyfile(src, dst, *, follow_symlinks=True):
    if _same(src, dst):
        raise SameFileError("%r and %r are the same file" % (src, dst))
    for name in (src, dst):
        try:
            kind = os.stat(name).st_mode
        except OSError:
            continue
        if kind & 0o170000 == 0o010000:
            raise SpecialFileError("`%s` is a named pipe" % name)
    if not follow_symlinks and os.path.islink(src):
        os.symlink(os.readlink(src), dst)
        return dst
    with open(src, "rb") as fsrc:
        try:
            with open(dst, "wb") as fdst:
                copyfileobj(fsrc, fdst)
        except IsADirectoryError as e:
            if not os.path.exists(dst):
                raise FileNotFoundError("Directory does not exist: %s" % dst) from e
            raise
    return dst


def _both_links(src, dst, follow_symlinks):
    return not follow_symlinks and os.path.islink(src) and os.path.islink(dst)


def copymode(src, dst, *, follow_symlinks=True):
    if not _both_links(src, dst, follow_symlinks):
        os.chmod(dst, os.stat(src).st_mode & 0o7777)


def copystat(src, dst, *, follow_symlinks=True):
    if _both_links(src, dst, follow_symlinks):
        return
    s = os.stat(src)
    os.utime(dst, ns=(s.st_atime_ns, s.st_mtime_ns))
    os.chmod(dst, s.st_mode & 0o7777)


def _target(src, dst):
    if os.path.isdir(dst):
        return os.path.join(dst, os.path.basename(src))
    return dst


def copy(src, dst, *, follow_symlinks=True):
    dst = _target(src, dst)
    copyfile(src, dst, follow_symlinks=follow_symlinks)
    copymode(src, dst, follow_symlinks=follow_symlinks)
    return dst


def copy2(src, dst, *, follow_symlinks=True):
    dst = _target(src, dst)
    copyfile(src, dst, follow_symlinks=follow_symlinks)
    copystat(src, dst, follow_symlinks=follow_symlinks)
    return dst


def _matches(name, pattern):
    if not pattern:
        return not name
    if pattern[0] == "*":
        return _matches(name, pattern[1:]) or bool(name) and _matches(name[1:], pattern)
    if "[" in pattern:
        raise NotImplementedError("this Go worker's Python has no [...] in shutil.ignore_patterns")
    return bool(name) and pattern[0] in ("?", name[0]) and _matches(name[1:], pattern[1:])


def ignore_patterns(*patterns):
    def ignored(path, names):
        return set([name for name in names for pattern in patterns if _matches(name, pattern)])
    return ignored


def copytree(src, dst, symlinks=False, ignore=None, copy_function=copy2, ignore_dangling_symlinks=False,
             dirs_exist_ok=False):
    with os.scandir(src) as it:
        entries = list(it)
    ignored = set()
    if ignore is not None:
        ignored = ignore(os.fspath(src), [entry.name for entry in entries])
    os.makedirs(dst, exist_ok=dirs_exist_ok)
    errors = []
    for entry in entries:
        if entry.name in ignored:
            continue
        source = os.path.join(src, entry.name)
        target = os.path.join(dst, entry.name)
        try:
            if entry.is_symlink():
                link = os.readlink(source)
                if symlinks:
                    os.symlink(link, target)
                    continue
                if not os.path.exists(source) and ignore_dangling_symlinks:
                    continue
            if entry.is_dir():
                copytree(source, target, symlinks, ignore, copy_function, ignore_dangling_symlinks, dirs_exist_ok)
            else:
                copy_function(source, target)
        except Error as e:
            errors.extend(e.args[0])
        except OSError as e:
            errors.append((source, target, str(e)))
    try:
        copystat(src, dst)
    except OSError as e:
        errors.append((src, dst, str(e)))
    if errors:
        raise Error(errors)
    return dst


def rmtree(path, ignore_errors=False, onerror=None, *, dir_fd=None):
    if dir_fd is not None:
        raise NotImplementedError("this Go worker's Python has no shutil.rmtree(dir_fd=...)")

    def failed(function, where, error):
        if ignore_errors:
            return
        if onerror is None:
            raise error
        onerror(function, where, (type(error), error, error.__traceback__))

    def empty(folder):
        try:
            with os.scandir(folder) as it:
                entries = list(it)
        except OSError as e:
            failed(os.scandir, folder, e)
            return
        for entry in entries:
            where = os.path.join(folder, entry.name)
            if entry.is_dir(follow_symlinks=False):
                empty(where)
                try:
                    os.rmdir(where)
                except OSError as e:
                    failed(os.rmdir, where, e)
            else:
                try:
                    os.unlink(where)
                except OSError as e:
                    failed(os.unlink, where, e)

    try:
        kind = os.lstat(path).st_mode & 0o170000
    except OSError as e:
        failed(os.lstat, path, e)
        return
    if kind == 0o120000:
        try:
            raise OSError("Cannot call rmtree on a symbolic link")
        except OSError as e:
            failed(os.path.islink, path, e)
        return
    empty(path)
    if kind == 0o040000:
        try:
            os.rmdir(path)
        except OSError as e:
            failed(os.rmdir, path, e)


def move(src, dst, copy_function=copy2):
    target = dst
    if os.path.isdir(dst):
        if _same(src, dst):
            os.rename(src, dst)
            return
        target = os.path.join(dst, os.path.basename(str(src).rstrip(os.sep)))
        if os.path.exists(target):
            raise Error("Destination path '%s' already exists" % target)
    try:
        os.rename(src, target)
    except OSError:
        if os.path.islink(src):
            os.symlink(os.readlink(src), target)
            os.unlink(src)
        elif os.path.isdir(src):
            inside = os.path.abspath(dst) + os.sep
            if inside.startswith(os.path.abspath(src) + os.sep):
                raise Error("Cannot move a directory '%s' into itself '%s'." % (src, dst))
            copytree(src, target, copy_function=copy_function, symlinks=True)
            rmtree(src)
        else:
            copy_function(src, target)
            os.unlink(src)
    return target


def which(cmd, mode=os.F_OK | os.X_OK, path=None):
    def runs(name):
        return os.path.exists(name) and os.access(name, mode) and not os.path.isdir(name)

    if os.path.dirname(cmd):
        return cmd if runs(cmd) else None
    if path is None:
        path = os.environ.get("PATH", None)
        if path is None:
            path = os.defpath
    if not path:
        return None
    seen = set()
    for folder in path.split(os.pathsep):
        if folder not in seen:
            seen.add(folder)
            name = os.path.join(folder, cmd)
            if runs(name):
                return name
    return None


def disk_usage(path):
    return _shutil.disk_usage(path)
