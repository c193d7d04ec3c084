"""Times pip's execnet for the benchmark. Commands and answers are JSON, each with its length before it."""
import base64
import gc
import json
import os
import random
import struct
import sys
import time

import execnet

clock = time.perf_counter
gateways = {}
channels = {}


def hello(source):
    channels["source"] = source
    return {"release": execnet.__version__}


def timed(n, function, argument):
    start = clock()
    for _ in range(n):
        function(argument)
    return {"seconds": clock() - start}


def dumps(data, n):
    data = base64.b64decode(data)
    value = execnet.loads(data)
    assert execnet.loads(execnet.dumps(value)) == value
    return timed(n, execnet.dumps, value)


def loads(data, n):
    return timed(n, execnet.loads, base64.b64decode(data))


def channel(spec="popen"):
    """A channel to worker.py in the worker of this spec, the same one each time."""
    if spec not in channels:
        gateways[spec] = execnet.makegateway(spec)
        channels[spec] = gateways[spec].remote_exec(channels["source"])
    return channels[spec]


def echo(data, n):
    return echoes(base64.b64decode(data), channel(), n)


def echo_to(spec, n):
    return echoes(bytes(10), channel(spec), n)


def echoes(item, ch, n):
    start = clock()
    ch.send(("echo", n, b""))
    for _ in range(n):
        ch.send(item)
        ch.receive()
    return {"seconds": clock() - start}


def take(data, n):
    item, ch = base64.b64decode(data), channel()
    start = clock()
    ch.send(("take", n, b""))
    for _ in range(n):
        ch.send(item)
    ch.receive()
    return {"seconds": clock() - start}


def take_to(spec, size, n):
    item, ch = bytes(size), channel(spec)
    start = clock()
    ch.send(("take", n, b""))
    for _ in range(n):
        ch.send(item)
    ch.receive()
    return {"seconds": clock() - start}


def give(data, n):
    item, ch = base64.b64decode(data), channel()
    start = clock()
    ch.send(("give", n, item))
    for _ in range(n):
        ch.receive()
    return {"seconds": clock() - start}


COUNTING = """
import re
from collections import Counter
for text in channel:
    channel.send(dict(Counter(re.findall("[a-z]+", text.lower()))))
"""
COUNTING_NATIVELY = """
import bench
for text in channel:
    channel.send(bench.words(text))
"""


def text():
    """A megabyte of some thousand words."""
    if "text" not in channels:
        chosen = random.Random(1)
        words = ["".join(chosen.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(chosen.randint(2, 10))) for _ in range(5000)]
        channels["text"] = " ".join(chosen.choice(words) for _ in range(160000))[:1000000]
    return channels["text"]


def words(specs, native, n):
    """Count the words of 50 such texts over two channels, to one worker or to two."""
    total, piece = 0, text()
    for _ in range(n):
        workers = [execnet.makegateway(spec) for spec in specs]
        open_channels = [workers[i % len(workers)].remote_exec(COUNTING_NATIVELY if native else COUNTING) for i in range(2)]
        start = clock()
        for ch in open_channels:
            for _ in range(2):
                ch.send(piece)
        for i in range(50):
            ch = open_channels[i % 2]
            assert len(ch.receive()) > 1000
            if i < 46:
                ch.send(piece)
        total += clock() - start
        for worker in workers:
            worker.exit()
    return {"seconds": total}


def start(data, n):
    """Make n gateways in one group, as data specifies them, and receive a value from each."""
    group = execnet.Group()
    spec = base64.b64decode(data).decode() if data else "popen"
    begin = clock()
    opened = [group.makegateway(spec).remote_exec("channel.send(1)") for _ in range(n)]
    for ch in opened:
        assert ch.receive() == 1
    seconds = clock() - begin
    group.terminate(10)
    return {"seconds": seconds}


PEAK = """
def peak(process="self"):
    try:
        with open("/proc/%s/status" % process) as f:
            return [int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM")][0]
    except OSError:
        return 0
"""
exec(PEAK)


def rsync(spec, source, targets):
    """Send a tree with execnet's RSync, with workers of its own."""
    group = execnet.Group()
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")  # the memory of earlier calls does not count
    except OSError:
        pass
    begin = clock()
    sync = execnet.RSync(source, verbose=False)
    workers = [group.makegateway(spec) for _ in targets]
    for worker, target in zip(workers, targets):
        sync.add_target(worker, target)
    sync.send()
    seconds = clock() - begin
    asked = workers[0].remote_exec(PEAK + "channel.send(peak())")
    answer = {"seconds": seconds, "driver": peak(), "worker": asked.receive()}
    group.terminate(10)
    return answer


def resident():
    """How much of this process is in memory, in bytes; 0 where there is no /proc."""
    gc.collect()
    try:
        with open("/proc/self/statm") as f:
            return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def group_run(n):
    """Make n workers in one group, call each, end them."""

    def start(n):
        group = execnet.Group()
        channels = [group.makegateway("popen").remote_exec("channel.send(1)") for _ in range(n)]
        for ch in channels:
            assert ch.receive() == 1
        return group, channels

    start(1)[0].terminate(10)
    before = resident()
    begin = clock()
    group, channels = start(n)
    started = clock() - begin
    grown = resident() - before
    begin = clock()
    group.terminate(10)
    return {"started": started, "ended": clock() - begin, "grown": grown}


def main():
    commands = {f.__name__: f for f in (hello, dumps, loads, echo, echo_to, take_to, words, take, give, start, group_run, rsync)}
    read, write = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = read.read(4)
        if len(head) < 4:
            break
        command = json.loads(read.read(*struct.unpack("!I", head)).decode())
        try:
            reply = commands[command["call"]](**command["arguments"])
        except Exception as e:
            reply = {"error": "%s: %s" % (type(e).__name__, e)}
        reply = json.dumps(reply).encode()
        write.write(struct.pack("!I", len(reply)) + reply)
        write.flush()
    for gateway in gateways.values():
        gateway.exit()


main()
