# Runs in the CPython behind a Go worker, and measures calls of Go functions there. A task is its
# name, a number of repetitions, and an item; the answer is how many seconds it took.
import os
import struct
import subprocess
import threading
import time

import bench

clock = time.perf_counter
raw = None


def call(n, item):
    same = bench.same
    start = clock()
    for _ in range(n):
        same(item)
    return clock() - start


def raw_pipe(n, argv):
    """Round trips with a Go program that reads and writes and does nothing else."""
    global raw
    size = 40  # what a call of bench.same with 10 bytes and its answer take, on the average
    if raw is None:
        raw = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    read, write = raw.stdout.fileno(), raw.stdin.fileno()
    block = bytes(size)
    start = clock()
    os.write(write, struct.pack("!cII", b"e", size, n))
    for _ in range(n):
        os.write(write, block)
        os.read(read, size)
    return clock() - start


def threads(n, count):
    """n calls that compute, shared by so many threads."""
    left = list(range(n))

    def work():
        while True:
            try:
                left.pop()
            except IndexError:
                return
            bench.compute()
    workers = [threading.Thread(target=work) for _ in range(count)]
    start = clock()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return clock() - start


def take(n, item):
    """Go takes bytes."""
    start = clock()
    for _ in range(n):
        bench.size(item)
    return clock() - start


def give(n, size):
    """Go gives bytes."""
    start = clock()
    for _ in range(n):
        bench.block(size)
    return clock() - start


tasks = {"call": call, "raw": raw_pipe, "threads": threads, "take": take, "give": give}
try:
    for task, n, item in channel:
        channel.send(tasks[task](n, item))
finally:
    if raw is not None:
        raw.stdin.close()
        raw.wait()
