"""Computes with a pool of processes, which are forked from the worker."""
OWN_GATEWAY = True


def remote(channel, numbers):
    import multiprocessing
    import operator
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        channel.send(pool.map(operator.neg, numbers))
        channel.send(pool.apply(divmod, (17, 5)))


def drive(at):
    at.follow(at.run(remote, numbers=list(range(20))))
