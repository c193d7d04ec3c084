"""try, except, else and finally in loops, with return, break and continue."""

remote = """
log = []
def run(n):
    for i in range(n):
        try:
            log.append(('try', i))
            if i == 1:
                continue
            if i == 3:
                return 'returned'
            if i == 2:
                raise ValueError(i)
        except ValueError as e:
            log.append(('except', e.args))
        else:
            log.append(('else', i))
        finally:
            log.append(('finally', i))
    return 'end'
channel.send([run(2), run(9)])
channel.send(log)
def override():
    try:
        return 'try'
    finally:
        return 'finally'
channel.send(override())
def generator():
    try:
        yield 1
        return
    finally:
        yield 2
    yield 3
channel.send(list(generator()))
"""
