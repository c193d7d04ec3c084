class Modules(object):
    """How the modules of the functions are found and made: a loader of Python's imports."""

    def spec(self, name):
        spec = sys.modules["_frozen_importlib"].ModuleSpec(name, self, origin="Go")
        if name in self.finder.packages:
            spec.submodule_search_locations = []
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        if not self.finder.pipes:
            raise ImportError(
                "the Go functions of %s cannot be called: what starts this interpreter (%s) "
                "closes the descriptors that the Go worker passes on" % (name, sys.executable))
        found = self.described.get(text(name), {})
        if found:
            module.__all__ = sorted(name.encode("utf-8") if PY2 else name for name in found)
        module.__doc__ = "Go functions of this worker."
        for function, about in found.items():
            function = function.encode("utf-8") if PY2 else function
            setattr(module, function, GoFunction(self, name, function, *about))

    def load_module(self, name):  # Python 2
        module = sys.modules.get(name)
        if module is not None:  # it is reloaded
            self.exec_module(module)
            return module
        module = sys.modules[name] = type(sys)(name)
        module.__loader__, module.__package__ = self, name.rpartition(".")[0]
        if name in self.finder.packages:
            module.__path__, module.__package__ = [], name
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def is_package(self, name):
        return name in self.finder.packages

    def get_source(self, name):
        return None

    get_code = get_source
