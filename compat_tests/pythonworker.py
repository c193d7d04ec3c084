"""The Python worker, bootstrap/worker/, in a process of its own, on every CPython found.

The driver is pip's execnet, its own Gateway over its own pipe class; only the first line is this
module's.
"""
import glob
import os
import subprocess
import sys
import textwrap

from execnet import gateway_base, gateway_io, multi, xspec
from execnet.gateway import Gateway

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(os.path.dirname(HERE), "bootstrap", "worker")  # a folder of parts
FIRST_LINE = "import sys;exec(eval(sys.stdin.readline()))"
WAIT = 60  # seconds that a step may take


# The release of execnet with which everything is tested. With the others only what may depend on
# the release is.
NEWEST_RELEASE = "2.1.2"


def version(python):
    """The version of an interpreter, as a list of two numbers."""
    code = "import sys; print('%d %d' % sys.version_info[:2])"
    return [int(n) for n in subprocess.check_output([python, "-c", code]).split()]


def pythons():
    """The interpreters to test, oldest first.

    These are those of $EXECNET_TEST_PYTHONS, or of pyenv and the embedded one that "make python314" has
    unpacked if there is no other one of its version, or this one.

    A driver of an older release gets the oldest and the newest one: all others are tested with the
    newest release, and what an older driver sends does not depend on the worker's Python.
    """
    named = os.environ.get("EXECNET_TEST_PYTHONS")
    if named:
        found = named.split(os.pathsep if os.pathsep in named else None)
    else:
        root = os.environ.get("PYENV_ROOT", "")
        found = glob.glob(os.path.join(root, "versions", "*", "bin", "python")) if root else []
        unpacked = glob.glob(os.path.join(os.environ.get("EXECNET_TEST_VENV", "/none"), "pythons", "*", "bin", "python3"))
        found += [python for python in unpacked if version(python) not in map(version, found)]
    found = sorted(found, key=version) or [sys.executable]
    if os.environ.get("EXECNET_TEST_RELEASE", NEWEST_RELEASE) != NEWEST_RELEASE and len(found) > 2:
        return [found[0], found[-1]]
    return found


PYTHONS = pythons()
NEWEST = PYTHONS[-1]
# GREEN_PYTHON has gevent and eventlet.
GREEN_PYTHON = os.path.join(os.environ["EXECNET_TEST_VENV"], "bin", "python") \
    if "EXECNET_TEST_VENV" in os.environ else sys.executable
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)  # in drivers; workers keep their limit


def label(python):
    """How the name of a test shows an interpreter: the folder of its version, if it has one."""
    return python.split(os.sep)[-3] if python.count(os.sep) > 2 else python


def source(call):
    """The source of the Python worker, followed by a call."""
    parts = []
    for part in sorted(os.listdir(WORKER)):
        with open(os.path.join(WORKER, part), encoding="utf-8") as f:
            parts.append(f.read())
    return "\n\n".join(parts + [call]) + "\n"


class Worker:
    """A worker: .popen is its process, .gw the driver's gateway to it."""

    def __init__(self, python=sys.executable, execmodel="thread", setup=None, env=None,
                 text=None, stderr=None):
        args = [python, "-u", "-c", FIRST_LINE]
        model = gateway_base.get_execmodel("thread")
        self.popen = subprocess.Popen(args, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      stderr=stderr, env=dict(os.environ, **(env or {})))
        self.io = gateway_io.Popen2IO(self.popen.stdin, self.popen.stdout, model)
        self.io.wait = self.popen.wait
        call = "serve_popen('gw0-worker', %r, %r)" % (execmodel, setup or {})
        self.io.write((ascii(text or source(call)) + "\n").encode())

    def started(self):
        assert self.io.read(1) == b"1"
        self.gw = Gateway(self.io, xspec.XSpec("popen//id=gw0"))
        self.gw._group = group = multi.Group()
        group._gateways.append(self.gw)
        return self

    def run(self, text, **kwargs):
        return self.gw.remote_exec(textwrap.dedent(text), **kwargs)

    def stop(self):
        self.gw.exit()
        try:
            code = self.popen.wait(WAIT)
        finally:
            self.popen.kill()
            self.popen.wait()
        return code
