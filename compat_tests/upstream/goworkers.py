"""A plugin for execnet's own tests: a spec without python= starts a Go worker."""
import os
import sys

import pytest

import execnet.gateway_io as gateway_io

popen_args = gateway_io.popen_args


def go_worker_args(spec):
    args = popen_args(spec)
    if args[0] == sys.executable:
        args[0] = os.environ["GO_WORKER"]
    return args


gateway_io.popen_args = go_worker_args


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """A test imports a module from a folder of its own, and would find that of the run before."""
    sys.modules.pop("remote", None)
