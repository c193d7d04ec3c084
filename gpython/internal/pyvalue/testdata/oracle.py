"""Evaluates expressions, one JSON string a line, and answers each with a JSON list of two strings.

A text of several lines is a program, whose value is what it leaves in r.

[type name, repr] for a value, [exception class, message] after "!" for an exception; reprs of sets are sorted.
"""
import json
import sys


def shown(value):
    if type(value) in (set, frozenset):
        items = ", ".join(sorted(shown(x) for x in value))
        return "%s{%s}" % (type(value).__name__, items)
    return repr(value)


for line in sys.stdin:
    try:
        source = json.loads(line)
        if "\n" in source:
            names = {}
            exec(source, names)
            value = names["r"]
        else:
            value = eval(source, {})
        answer = [type(value).__name__, shown(value)]
    except Exception as e:
        answer = ["!" + type(e).__name__, str(e)]
    print(json.dumps(answer))
    sys.stdout.flush()
