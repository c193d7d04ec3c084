"""Maps a function over items with a pool of threads, and collects exceptions as well."""


def remote(channel, items):
    from concurrent.futures import ThreadPoolExecutor, as_completed

    def invert(x):
        return 1 / x

    with ThreadPoolExecutor(max_workers=3) as pool:
        futures = {pool.submit(invert, x): x for x in items}
        results = {}
        for future in as_completed(futures):
            try:
                results[futures[future]] = future.result()
            except ZeroDivisionError as error:
                results[futures[future]] = repr(error)
        channel.send(sorted(results.items()))
        channel.send(list(pool.map(len, ["a", "bb", "ccc"])))


def drive(at):
    at.follow(at.run(remote, items=[1, 2, 4, 0, -8]))
