"""Runs the same jobs in pools of Python: pools.py POOL WORKERS JOBS prints the seconds that they took.

For Go's pool this is the module of the workers, which has the functions.
"""
import concurrent.futures
import multiprocessing
import os
import signal
import sys
import time

TIMEOUT = 2.0  # seconds for a job


def job(n):
    """One of many: among 10,000 are 20 that hang, 10 that exit and 10 that crash, if n says so."""
    if n == -1:
        while True:
            pass
    if n == -2:
        os._exit(3)
    if n == -3:
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(TIMEOUT)
    return n + 1


def inputs(jobs):
    if jobs == "short":
        return list(range(10000))
    bad = [-1] * 20 + [-2] * 10 + [-3] * 10
    return [bad.pop() if bad and n % 250 == 249 else n for n in range(10000)]


def with_futures(workers, numbers):
    with concurrent.futures.ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) as pool:
        list(pool.map(job, range(workers)))
        begin = time.perf_counter()
        assert list(pool.map(job, numbers)) == [n + 1 for n in numbers]
        return time.perf_counter() - begin


def with_pebble(workers, numbers):
    import pebble
    with pebble.ProcessPool(max_workers=workers, context=multiprocessing.get_context("fork")) as pool:
        list(pool.map(job, range(workers)).result())
        begin = time.perf_counter()
        results = pool.map(job, numbers, timeout=TIMEOUT).result()
        done = failed = 0
        while True:
            try:
                next(results)
                done += 1
            except StopIteration:
                break
            except Exception:
                failed += 1
        # It also loses a job now and then that has done nothing.
        assert done + failed == len(numbers) and failed >= sum(n < 0 for n in numbers), (done, failed)
        return time.perf_counter() - begin


if __name__ == "__main__":
    pool, workers, jobs = sys.argv[1:]
    run = {"futures": with_futures, "pebble": with_pebble}[pool]
    while True:
        try:
            print(run(int(workers), inputs(jobs)))
            break
        except RuntimeError as e:
            # pebble 5.2.3 gives up on some pools whose workers crash.
            if "Unexpected error within the Pool" not in str(e):
                raise
