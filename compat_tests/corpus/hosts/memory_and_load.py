"""Reads numbers from /proc and the os module as monitoring scripts do."""


def remote(channel):
    import os
    import re
    meminfo = {}
    with open("/proc/meminfo") as f:
        for line in f:
            match = re.match(r"(\w+):\s+(\d+) kB", line)
            if match:
                meminfo[match.group(1)] = int(match.group(2))
    channel.send(meminfo["MemTotal"])
    channel.send(0 < meminfo["MemFree"] <= meminfo["MemTotal"])
    channel.send(len(os.getloadavg()))
    channel.send(os.cpu_count())
    with open("/proc/uptime") as f:
        channel.send(float(f.read().split()[0]) > 0)
    channel.send(os.sysconf("SC_PAGE_SIZE"))
