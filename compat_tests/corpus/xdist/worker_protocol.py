"""A worker in the manner of pytest-xdist: numbered events out, commands in over a callback."""
import queue
import sys
import threading

OWN_GATEWAY = True


class Interactor:
    def __init__(self, channel, config):
        self.channel, self.config, self.inbox = channel, config, queue.Queue()
        channel.setcallback(self.inbox.put, endmarker=("shutdown", {}))

    def event(self, name, **kwargs):
        self.channel.send((name, kwargs))

    def run(self):
        self.event("workerready", id=self.config["id"], main=threading.current_thread() is threading.main_thread())
        self.event("collectionfinish", ids=sorted(self.config["tests"]))
        while True:
            name, kwargs = self.inbox.get()
            if name == "shutdown":
                break
            for index in kwargs["indices"]:
                self.one(sorted(self.config["tests"])[index])
        self.event("workerfinished", exitstatus=0)

    def one(self, name):
        self.event("logstart", nodeid=name)
        try:
            exec(self.config["tests"][name], {"__name__": name})
            outcome = "passed"
        except AssertionError as e:
            outcome = "failed: %s" % e
        except BaseException as e:
            outcome = "error: %s" % type(e).__name__
        self.event("testreport", nodeid=name, outcome=outcome)


if __name__ == "__channelexec__":
    config, environment = channel.receive()
    import os
    os.environ.update(environment)
    sys.path[:0] = config["path"]
    Interactor(channel, config).run()


def drive(at):
    channel = at.run(at.module)
    channel.send(({"id": "gw0", "path": [at.folder], "tests": {
        "test_a": "assert 1 + 1 == 2", "test_b": "assert 1 == 2, 'unequal'", "test_c": "import os; assert os.environ['CORPUS_WORKER'] == 'gw0'",
        "test_d": "raise KeyError", "test_e": "import corpus_under_test; assert corpus_under_test.f() == 1"}}, {"CORPUS_WORKER": "gw0"}))
    at.write("corpus_under_test.py", "def f():\n    return 1\n")
    at.receive(channel)
    at.receive(channel)
    channel.send(("runtests", {"indices": [0, 2]}))
    channel.send(("runtests", {"indices": [1, 3, 4]}))
    channel.send(("shutdown", {}))
    at.follow(channel)
