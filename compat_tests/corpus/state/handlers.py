"""Installs a signal handler and an atexit function, which outlive the execution."""
OWN_GATEWAY = True


def drive(at):
    at.follow(at.run("""
        import atexit, signal
        caught = []
        signal.signal(signal.SIGUSR1, lambda number, frame: caught.append(number))
        import sys
        sys.corpus_caught = caught
    """))
    at.follow(at.run("""
        import os, signal, sys, time
        os.kill(os.getpid(), signal.SIGUSR1)
        end = time.time() + 10
        while not sys.corpus_caught and time.time() < end:
            time.sleep(0.001)
        channel.send(sys.corpus_caught == [signal.SIGUSR1])
    """))
    channel = at.run("""
        import atexit
        atexit.register(lambda path: open(path, 'w').write('ended'), channel.receive())
    """)
    channel.send(at.folder + "/at_exit")
    at.end(channel)
    at.gateway.exit()
    at.gateway._io.wait()
