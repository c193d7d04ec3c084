"""The host's clock and time zone: differences to the driver's clock, formats of a fixed time."""


def remote(channel):
    import calendar
    import datetime
    import time
    now = channel.receive()
    channel.send(abs(time.time() - now) < 60)
    channel.send((time.tzname, time.timezone))
    channel.send(time.strftime("%Y-%m-%d %H:%M:%S %j %a", time.gmtime(86400 * 365)))
    channel.send(calendar.timegm((2020, 2, 29, 12, 0, 0)))
    when = datetime.datetime(2021, 3, 4, 5, 6, 7, 89, tzinfo=datetime.timezone.utc)
    channel.send((when.isoformat(), (when + datetime.timedelta(days=30)).strftime("%d %b"), when.isocalendar()[1]))
    channel.send(str(datetime.timedelta(seconds=100000)))
    channel.send(datetime.datetime.strptime("12/31/99", "%m/%d/%y").date().isoformat())


def drive(at):
    import time
    channel = at.run(remote)
    channel.send(time.time())
    at.follow(channel)
