"""A gateway with a folder, a niceness and variables of its own."""
import os

KEYS = "//chdir=/usr//nice=3//env:CORPUS_X=a b//env:CORPUS_Y="

remote = """
import os, subprocess
# On Linux a thread has a niceness of its own; this is the one of the main thread.
channel.send((os.getcwd(), os.environ['CORPUS_X'], os.environ['CORPUS_Y'], os.getpriority(os.PRIO_PROCESS, os.getpid())))
channel.send(subprocess.check_output(['sh', '-c', 'pwd; echo "$CORPUS_X"']).decode())
"""


def drive(at):
    before = os.getpriority(os.PRIO_PROCESS, os.getpid())
    folder, x, y, niceness = at.run(remote).receive(20)
    at.note(folder, x, y, niceness - before if niceness < 19 else 3)
    at.follow(at.run("import subprocess; channel.send(subprocess.check_output(['sh', '-c', 'pwd; echo $CORPUS_X']).decode())"))
