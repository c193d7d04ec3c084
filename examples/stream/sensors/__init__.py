"""Reads a log of sensors, which is made here so that the example needs no file."""
import csv
import sys


def lines(rows):
    yield "time,sensor,temperature"
    for i in range(rows):
        yield "%02d:%02d,%d,%.1f" % (i // 60 % 24, i % 60, i % 7, 15 + i / 200.0)


def readings(rows):
    """The rows of the log, each as a dict."""
    read = 0
    try:
        for row in csv.DictReader(lines(rows)):
            read += 1
            yield {"Time": row["time"], "Sensor": int(row["sensor"]), "Temperature": float(row["temperature"])}
    finally:
        sys.stderr.write("closed: %s\n" % ("early" if read < rows else "at the end"))
