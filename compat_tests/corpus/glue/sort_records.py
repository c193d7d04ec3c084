"""Sorts and groups records given as dicts."""

remote = """
records = channel.receive()
records.sort(key=lambda r: (r['team'], -r['points']))
channel.send(records)
teams = {}
for r in records:
    teams.setdefault(r['team'], []).append(r['name'])
channel.send(teams)
channel.send([max(teams[t]) for t in sorted(teams)])
channel.send(any(r['points'] > 8 for r in records) and all('name' in r for r in records))
records[0]['missing']
"""


def drive(at):
    channel = at.run(remote)
    channel.send([{"name": n, "team": t, "points": p} for n, t, p in [("ann", "red", 5), ("bob", "blue", 9), ("cy", "red", 7)]])
    at.follow(channel)
