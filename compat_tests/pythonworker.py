"""bootstrap/worker.py in a process of its own, driven by pip's execnet on every CPython found.

The driver is execnet's own Gateway over its own pipe class; only the first line is this module's.
"""
import glob
import os
import subprocess
import sys
import textwrap

from execnet import gateway_base, gateway_io, multi, xspec
from execnet.gateway import Gateway

HERE = os.path.dirname(os.path.abspath(__file__))
WORKER = os.path.join(os.path.dirname(HERE), "bootstrap", "worker.py")
FIRST_LINE = "import sys;exec(eval(sys.stdin.readline()))"
WAIT = 20  # seconds that a step may take


def pythons():
    """The interpreters to test: $EXECNET_TEST_PYTHONS, or those of pyenv, or this one."""
    named = os.environ.get("EXECNET_TEST_PYTHONS")
    if named:
        return named.split(os.pathsep if os.pathsep in named else None)
    root = os.environ.get("PYENV_ROOT", "")
    found = sorted(glob.glob(os.path.join(root, "versions", "*", "bin", "python"))) if root else []
    return found or [sys.executable]


PYTHONS = pythons()
# GREEN_PYTHON has gevent and eventlet.
GREEN_PYTHON = os.path.join(os.environ["EXECNET_TEST_VENV"], "bin", "python") \
    if "EXECNET_TEST_VENV" in os.environ else sys.executable
if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)  # in drivers; workers keep their limit
NEWEST = max(PYTHONS, key=lambda p: [int(n) for n in subprocess.check_output(
    [p, "-c", "import sys; print('%d %d' % sys.version_info[:2])"]).split()])


def source(call):
    """The source of worker.py, followed by a call."""
    with open(WORKER, encoding="utf-8") as f:
        return f.read() + "\n" + call + "\n"


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
