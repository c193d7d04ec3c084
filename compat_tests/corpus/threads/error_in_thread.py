"""An exception in a thread is reported through sys.exc_info and the traceback module."""


def remote(channel):
    import sys
    import threading
    import traceback
    failures = []

    def guarded():
        try:
            [][1]
        except IndexError:
            kind, value, tb = sys.exc_info()
            failures.append((kind.__name__, str(value), traceback.extract_tb(tb)[-1][2]))

    thread = threading.Thread(target=guarded)
    thread.start()
    thread.join()
    channel.send(failures)
    channel.send(sys.exc_info() == (None, None, None))
