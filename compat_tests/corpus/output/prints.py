"""Prints to stdout and stderr, which reach the driver's stderr."""
OWN_GATEWAY = True


def drive(at):
    at.end(at.run("""
        import os, sys
        print('printed', [1, 'x'])
        sys.stdout.flush()
        sys.stderr.write('written\\n')
        sys.stderr.flush()
        os.write(1, b'raw 1\\n')
        os.write(2, b'raw 2\\n')
        os.system('echo from a child')
    """))
    at.printed()
