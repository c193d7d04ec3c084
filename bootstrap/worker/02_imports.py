# Modules of the standard library that worker code needs late, whatever the user's folder holds.

STDLIB = [os.path.dirname(os.__file__)] + [
    folder for folder in sys.path if os.path.basename(folder) in ("lib-dynload", "DLLs")]
private = {}


class StdlibFinder(object):
    """Makes the imports of some threads find modules of the standard library first."""

    threads = set()

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if path is None and _thread.get_ident() in cls.threads:
            return sys.modules["_frozen_importlib_external"].PathFinder.find_spec(name, STDLIB)


def in_stdlib(file):
    return not file or os.path.dirname(file) in STDLIB or any(
        file.startswith(folder + os.sep) and "site-packages" not in file for folder in STDLIB)


def stdlib(name):
    """A module of the standard library, imported from there with all that it imports itself.

    An import statement looks into the user's folder first (with python -c it is sys.path[0]). A
    file token.py there would be taken for the module that traceback needs. And if this left the
    standard library's token in sys.modules, the user's source could not import its own.
    """
    module = sys.modules.get(name)
    if module is not None and in_stdlib(getattr(module, "__file__", None)):
        if not PY2:
            __import__(name)  # it may be that another thread is still importing it
        return module
    if name not in private:
        before = set(sys.modules)
        private[name] = (import_stdlib_2 if PY2 else import_stdlib)(name, module)
        imported = set(sys.modules) - before
        hidden = [new for new in imported if not in_stdlib(usual_file(new))
                  and in_stdlib(getattr(sys.modules.get(new), "__file__", None))]
        for new in imported:
            if new.split(".")[0] in hidden:
                sys.modules.pop(new, None)
    return private[name]


def import_stdlib(name, users):
    """users is the user's own module of that name, if the source has imported it."""
    if StdlibFinder not in sys.meta_path:
        sys.meta_path.insert(0, StdlibFinder)  # it stays, since other threads may walk the list
    me = _thread.get_ident()
    StdlibFinder.threads.add(me)
    try:
        if users is None:
            __import__(name)
            return sys.modules[name]
        spec = StdlibFinder.find_spec(name)
        module = sys.modules["_frozen_importlib"].module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        StdlibFinder.threads.discard(me)


def import_stdlib_2(name, users):
    import imp
    imp.acquire_lock()  # no other thread imports meanwhile
    path, sys.path = sys.path, STDLIB
    sys.modules.pop(name, None)
    try:
        return __import__(name)
    finally:
        if users is not None:
            sys.modules[name] = users
        sys.path = path
        imp.release_lock()


def usual_file(name):
    """The file that an import statement would find, None if that cannot be said."""
    if "." in name or name in sys.builtin_module_names:
        return None
    try:
        if not PY2:
            return sys.modules["_frozen_importlib_external"].PathFinder.find_spec(name).origin
        import imp
        f, file, _ = imp.find_module(name)
        if f:
            f.close()
        return file
    except (ImportError, AttributeError):
        return None
