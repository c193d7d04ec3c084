"""Random numbers from a seed: the same everywhere."""


def remote(channel, seed):
    import random
    r = random.Random(seed)
    channel.send([r.randint(1, 6) for _ in range(10)])
    channel.send([r.random(), r.uniform(1, 2), r.gauss(0, 1)])
    cards = list(range(10))
    r.shuffle(cards)
    channel.send((cards, r.sample("abcdef", 3), r.choice([1, 2, 3])))
    channel.send(r.getrandbits(100))


def drive(at):
    at.follow(at.run(remote, seed=42))
    at.follow(at.run(remote, seed="text"))
