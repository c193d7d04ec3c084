"""JSON with indentation, sorted keys, and types of its own by default and object_hook."""


def remote(channel):
    import datetime
    import json
    import math

    def extended(value):
        if isinstance(value, set):
            return {"__set__": sorted(value)}
        if isinstance(value, datetime.date):
            return value.isoformat()
        raise TypeError("cannot encode %s" % type(value).__name__)

    text = json.dumps({"s": {3, 1}, "d": datetime.date(2020, 1, 2), "n": [1, 2.0, -0.0, 1e100], "u": "\u20ac\n"},
                      default=extended, indent=2, sort_keys=True)
    channel.send(text)
    back = json.loads(text, object_hook=lambda d: set(d["__set__"]) if "__set__" in d else d)
    channel.send(back["s"])
    channel.send(json.dumps("\u20ac\x00\ud83d\ude00", ensure_ascii=False) if False else json.dumps("\u20ac\x7f"))
    channel.send(math.isnan(json.loads("NaN")))
    json.dumps(object(), default=extended)
