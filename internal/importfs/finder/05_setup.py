def library(gateway, name):
    """A module of the standard library, None if this Python has been built without it."""
    def from_path(name):
        return __import__(name)
    try:
        return getattr(gateway, "_from_stdlib", from_path)(name)
    except ImportError:
        return None


zlib = None


def forget_the_gone(id):
    """Remove what is left of other drivers of this process that are gone, as of a socket server's.

    A driver that has a module of the same name gets its own.
    """
    for finder in list(sys.meta_path):
        if isinstance(finder, Finder) and finder.tree.id != id and not any(map(is_open, finder.tree.controls)):
            sys.meta_path.remove(finder)
            for name, module in list(sys.modules.items()):
                if getattr(getattr(module, "__loader__", None), "tree", None) is finder.tree:
                    sys.modules.pop(name, None)
            # The next tree has the same file names.
            for cache in sys.path_importer_cache, getattr(sys.modules.get("linecache"), "cache", {}):
                for name in list(cache):
                    if finder.tree.path(name) is not None:
                        cache.pop(name, None)


def install(channel, id, names):
    """Have the modules of a tree found. names is the listing of its top folder.

    It answers with the channel on which this process will ask, what the driver must know about this
    Python, and the files that are known here from another gateway.
    """
    global zlib
    gateway, id = channel.gateway, native(id)
    zlib = zlib or library(gateway, "zlib")
    if PY2:
        # All imports share a lock. The thread that holds it may wait for a file of the driver, so
        # the one that reads cannot import then what it needs for interrupts and for errors.
        for name in "ctypes", "select", "signal", "traceback":
            library(gateway, name)
    forget_the_gone(id)
    if gateway.execmodel.backend in ("gevent", "eventlet"):
        lock_by_greenlets(gateway.execmodel)
    for finder in sys.meta_path:
        if isinstance(finder, Finder) and finder.tree.id == id:
            tree = finder.tree
            tree.folders[""] = tree.kinds(names)
            break
    else:
        tree = Tree(id, names)
        if FolderFinder not in sys.path_hooks:
            sys.path_hooks.insert(0, FolderFinder)
            if sys.version_info[:2] == (3, 9) and "importlib._common" in sys.modules:
                teach_files(sys.modules["importlib._common"])
        before = [i for i, finder in enumerate(sys.meta_path)
                  if getattr(finder, "__name__", None) == "PathFinder"]
        sys.meta_path.insert(before[0] if before else len(sys.meta_path), Finder(tree))
    control = gateway.newchannel()
    tree.controls.append(control)
    channel.send((control, sys.version_info[0], zlib is not None, [as_text(name) for name in tree.files]))
