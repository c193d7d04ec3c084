"""Ends by SystemExit in several ways, the last within a thread."""


def drive(at):
    for source in ["import sys; sys.exit(3)", "import sys; sys.exit('a reason')", "raise SystemExit", "raise SystemExit(0)",
                   "import sys; sys.exit([1])"]:
        at.end(at.run(source))
    at.follow(at.run("""
        import sys, threading
        thread = threading.Thread(target=sys.exit, args=(9,))
        thread.start()
        thread.join()
        channel.send('still here')
    """))
