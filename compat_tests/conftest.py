"""What the tests here share: the release of execnet under test, and the built command."""
import os
import subprocess
import sys

import execnet
import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def pytest_report_header(config):
    return "execnet under test: %s (%s)" % (execnet.__version__, os.path.dirname(execnet.__file__))


def pytest_sessionstart(session):
    """A tox env that got another release than its name says tests nothing of worth."""
    wanted = os.environ.get("EXECNET_TEST_RELEASE")
    if wanted and execnet.__version__ != wanted:
        raise pytest.UsageError("execnet %s is installed, EXECNET_TEST_RELEASE asks for %s"
                                % (execnet.__version__, wanted))


@pytest.fixture(scope="session")
def command(tmp_path_factory):
    """The path of the built command: $EXECNET_TEST_BINARY, else one built for this session."""
    binary = os.environ.get("EXECNET_TEST_BINARY")
    if not binary:
        binary = str(tmp_path_factory.mktemp("bin") / ("execnet" + (".exe" if os.name == "nt" else "")))
        subprocess.run(["go", "build", "-o", binary, "./cmd/execnet"], cwd=ROOT, check=True)
    return binary


@pytest.fixture(scope="session")
def run(command):
    """Runs the command with bytes on stdin and returns its stdout; it has to succeed."""
    def run(*args, stdin):
        done = subprocess.run([command, *args], input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout
    return run
