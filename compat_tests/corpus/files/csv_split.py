"""Splits a table of comma-separated values into one file a group."""


def remote(channel, path, column):
    import csv
    import os
    groups = {}
    with open(path, newline="") as f:
        for row in csv.DictReader(f):
            groups.setdefault(row[column], []).append(row)
    for name, rows in sorted(groups.items()):
        with open(os.path.join(os.path.dirname(path), name + ".csv"), "w", newline="") as f:
            writer = csv.DictWriter(f, rows[0].keys(), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    channel.send({name: len(rows) for name, rows in sorted(groups.items())})


def drive(at):
    path = at.write("sales.csv", 'city,amount,remark\nOslo,5,"a, b"\nRome,7,\nOslo,1,"say ""x"""\n')
    at.follow(at.run(remote, path=path, column="city"))
