"""A module that takes its arguments as JSON and answers with JSON: changed, message, difference."""
import json
import os
import re


def line_in_file(path, line, regexp=None, state="present"):
    lines = []
    if os.path.exists(path):
        with open(path) as f:
            lines = f.read().splitlines()
    before = list(lines)
    matching = [i for i, text in enumerate(lines) if (re.search(regexp, text) if regexp else text == line)]
    if state == "absent":
        lines = [text for i, text in enumerate(lines) if i not in matching]
    elif matching:
        lines[matching[-1]] = line
    else:
        lines.append(line)
    if lines != before:
        with open(path, "w") as f:
            f.write("".join(text + "\n" for text in lines))
    return {"changed": lines != before, "before": len(before), "after": len(lines)}


if __name__ == "__channelexec__":
    for arguments in channel:
        try:
            result = line_in_file(**json.loads(arguments))
        except Exception as e:
            result = {"failed": True, "msg": "%s: %s" % (type(e).__name__, e)}
        channel.send(json.dumps(result, sort_keys=True))


def drive(at):
    import json
    path = at.write("sshd_config", "Port 22\n#PermitRootLogin yes\nUseDNS no\n")
    channel = at.run(at.module)
    for arguments in [dict(line="PermitRootLogin no", regexp="^#?PermitRootLogin"), dict(line="PermitRootLogin no"),
                      dict(line="Banner none"), dict(line="", regexp="^UseDNS", state="absent"),
                      dict(line="x", regexp="("), dict(nothing=1)]:
        channel.send(json.dumps(dict(arguments, path=path)))
        at.receive(channel)
    channel.send("{broken")
    at.receive(channel)
    channel.close()
