class GoFunction(object):
    """A Go function. Like a built-in function it is not bound to the objects of a class."""

    def __init__(self, functions, module, name, signature, doc, channel, execution):
        self.__module__, self.__name__, self.__qualname__ = module, name, name
        self.__doc__ = doc
        self._functions, self._signature = functions, signature
        self._channel, self._execution = channel, execution  # whether Go uses these of the caller
        self._dotted = "%s.%s" % (module, name)
        # What a call begins with: its name, and that no execution calls.
        sent = []
        save(self._dotted.decode("utf-8") if PY2 else self._dotted, sent.append)
        self._name, self._alone = b"".join(sent), b"".join(sent + [pack_i4(b"F", 0)])

    def __call__(*args, **kwargs):  # self would be the name of a keyword argument
        return args[0]._functions.call(args[0], args[1:], kwargs)

    def __get__(self, instance, owner=None):
        return self

    def __repr__(self):
        return "<Go function %s>" % self._dotted

    def __reduce__(self):
        return self.__name__  # pickled by reference, as functions are

    def takes_bytes(self, i, args):
        """Whether Go wants bytes for the argument with this index."""
        if self._channel and type(args[0]) is Channel:
            i -= 1
        return "arg%d: bytes" % (i + 1) in self._signature or "*args: bytes" in self._signature

    @property
    def __signature__(self):
        """What inspect.signature returns, made of the text of Python's parameters."""
        text = self._signature
        if sys.version_info < (3, 8):
            text = text.replace("/, ", "").replace(", /", "")
        names = {}
        exec("def function%s: pass" % text, names)
        return stdlib("inspect").signature(names["function"])
