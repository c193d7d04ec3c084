class GoCall(object):
    """A call under way, and the frames that have come for it.

    To loads() it is a gateway with its channels, because a closed channel is in no table any more.
    """
    _channelfactory = property(lambda self: self)
    seen = 0  # the count of the last frame taken
    waiter = None
    kept = ()  # items with channels that Go has: without a reference these would close

    # There is no __init__: it would take a twentieth of what Python does for a call.
    gateway = number = given = by_gateway = None
    frames = None  # a list, of at most a few: Go sends one, or cancels what it has sent

    def new(self, id):
        """The channel with this id: one that Go was given, if it has it from here."""
        channel = self.gateway._channelfactory.get(id)
        if channel is None:
            channel = find_channel((self.given, self.kept), id)
        return channel or self.gateway._channelfactory.new(id)

    def next(self):
        """The next frame that has come, or None. A frame may be handed over twice: see _hand."""
        while self.frames:
            counted, code, data = self.frames.pop(0)
            if counted > self.seen:
                self.seen = counted
                return code, data


def find_channel(value, id):
    """The channel with this id in a value, or None."""
    if type(value) is Channel:
        return value if value.id == id else None
    if type(value) is dict:
        value = list(value) + list(value.values())
    if type(value) in (list, tuple, set, frozenset):
        for item in value:
            found = find_channel(item, id)
            if found is not None:
                return found
    return None
