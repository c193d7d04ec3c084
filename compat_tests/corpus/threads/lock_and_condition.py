"""Two threads hand values to each other through a Condition, and count under a Lock."""


def remote(channel):
    import threading
    box, ready, count, lock = [], threading.Condition(), [0], threading.Lock()

    def produce():
        for n in range(5):
            with ready:
                while box:
                    ready.wait()
                box.append(n * n)
                ready.notify_all()

    def add():
        for _ in range(1000):
            with lock:
                count[0] += 1

    threads = [threading.Thread(target=target) for target in (produce, add, add, add)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        with ready:
            while not box:
                ready.wait()
            channel.send(box.pop())
            ready.notify_all()
    for thread in threads:
        thread.join()
    channel.send(count[0])
