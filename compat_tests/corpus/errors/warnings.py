"""Collects warnings, turns one into an error, and lets it reach the driver."""


def remote(channel):
    import warnings

    def old():
        warnings.warn("old is deprecated", DeprecationWarning, stacklevel=2)
        return 1

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        old()
        warnings.warn("second", UserWarning)
    channel.send([(w.category.__name__, str(w.message)) for w in seen])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        old()
