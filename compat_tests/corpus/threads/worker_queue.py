"""Four threads take tasks from a queue, and the results are sent in the order of the tasks."""


def remote(channel, tasks):
    import queue
    import threading
    todo, done = queue.Queue(), queue.Queue()

    def work():
        while True:
            item = todo.get()
            if item is None:
                return
            number, text = item
            done.put((number, text.title()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for item in enumerate(tasks):
        todo.put(item)
    for _ in threads:
        todo.put(None)
    for thread in threads:
        thread.join()
    for result in sorted(done.queue):
        channel.send(result)


def drive(at):
    at.follow(at.run(remote, tasks=["a b", "cd", "", "e f g"] * 3))
