"""Keeps a table in memory and in a file with sqlite3."""


def remote(channel, path, rows):
    import sqlite3
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    with connection:
        connection.execute("create table people (name text unique, age int)")
        connection.executemany("insert into people values (?, ?)", rows)
    for row in connection.execute("select name, age from people where age > ? order by age desc", (20,)):
        channel.send((row["name"], row["age"], row.keys()))
    try:
        with connection:
            connection.execute("delete from people")
            connection.execute("insert into people values ('x', 1), ('x', 2)")
    except sqlite3.IntegrityError as e:
        channel.send(str(e))
    channel.send(connection.execute("select count(*) from people").fetchone()[0])
    connection.close()


def drive(at):
    at.follow(at.run(remote, path=":memory:", rows=[("ann", 31), ("bob", 19), ("cy", 44)]))
