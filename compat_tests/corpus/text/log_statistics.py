"""Counts status codes and sums bytes of an access log with a regular expression."""
import re

LINE = re.compile(r'(?P<host>\S+) \[(?P<when>[^]]+)\] "(?P<verb>[A-Z]+) (?P<path>\S+)" (?P<status>\d{3}) (?P<size>\d+|-)')


def parse(lines):
    for number, line in enumerate(lines, 1):
        match = LINE.match(line)
        if match:
            yield match.groupdict()
        elif line.strip():
            yield {"bad": number}


if __name__ == "__channelexec__":
    statuses, sizes, bad = {}, 0, []
    for record in parse(channel.receive().split("\n")):
        if "bad" in record:
            bad.append(record["bad"])
            continue
        statuses[record["status"]] = statuses.get(record["status"], 0) + 1
        sizes += int(record["size"]) if record["size"] != "-" else 0
    channel.send((statuses, sizes, bad))


def drive(at):
    channel = at.run(at.module)
    channel.send('h1 [d 1] "GET /a" 200 10\nh2 [d] "POST /b?x=1" 404 -\nbroken\n\nh1 [d] "GET /" 200 32')
    at.follow(channel)
