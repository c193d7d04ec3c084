"""Lets at most two of six threads into a section at once."""


def remote(channel):
    import threading
    import time
    gate, lock = threading.BoundedSemaphore(2), threading.Lock()
    inside, most = [0], [0]

    def enter():
        with gate:
            with lock:
                inside[0] += 1
                most[0] = max(most[0], inside[0])
            time.sleep(0.005)
            with lock:
                inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    channel.send(most[0] <= 2)
    try:
        gate.release()
    except ValueError as error:
        channel.send(str(error))
