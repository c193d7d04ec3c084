"""The tests of execnet's source distribution, run with Go workers in place of Pythons.

pip downloads them for the release under test. Those of 1.x need an old pytest and are skipped.
"""
import os
import subprocess
import sys
import tarfile
import xml.etree.ElementTree as ElementTree

import execnet
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
RELEASE = tuple(int(part) for part in execnet.__version__.split(".")[:2])

# Tests that a Go worker with gpython cannot pass, or that do not always pass with CPython.
WITH_GPYTHON = {
    "test_channel_passing_over_channel": "looks into the worker's _channelfactory",
    "test_dont_write_bytecode": "a Go worker never writes any",
    "test_popen_filetracing": "imports execnet's modules in the worker",
    "test_remote_exec_inspect_stack": "imports inspect",
    "test_remoteerror_readable_traceback": "wants a line of gateway_base.py in the traceback",
    "test__rinfo": "asks for the working folder while the program that changes it may still run",
    "test_rinfo_popen": "the executable is the driver's own",
    "test_remote_exec_module_is_removed": "fails when it is run for a second gateway",
    "test_popen_stderr_tracing": "marked as flaky there",
    "test_gateway_status_busy": "marked as flaky there",
    "test_status_with_threads": "marked as flaky there",
}

# Tests that a Go worker with a CPython behind it does not pass. Those marked as flaky there run.
WITH_CPYTHON = {
    "test_remoteerror_readable_traceback": "wants a line of gateway_base.py in the traceback",
    # Both kill the process that os.getpid() names there. The Go worker outlives it, and its driver
    # gets an error with the signal, where the tests want the end of the gateway.
    "test_waitclose_on_remote_killed": "kills the Python rather than the worker",
    "test_endmarker_delivery_on_remote_killterm": "kills the Python rather than the worker",
}
EXCEPTIONS = {"gpython": WITH_GPYTHON, "cpython": WITH_CPYTHON}

# At least so many tests must pass. The release with the fewest tests has so many.
LEAST = {"test_channel": 90, "test_gateway": 50, "test_rsync": 10, "test_multi": 15, "test_termination": 3}

pytestmark = [
    pytest.mark.skipif(RELEASE < (2, 0), reason="the tests of execnet 1.x need the pytest of their time"),
    pytest.mark.skipif(os.name == "nt", reason="they are run with POSIX commands"),
]


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    """The folder with the tests of the source distribution. They use the installed package."""
    folder = tmp_path_factory.mktemp("upstream")
    subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
                    "--no-binary", "execnet", "--dest", str(folder), "execnet==" + execnet.__version__], check=True)
    archive, = folder.glob("execnet-*.tar.gz")
    with tarfile.open(archive) as tar:
        tests = [m for m in tar.getmembers() if "/testing/" in m.name and m.isfile()]
        for member in tests:
            member.name = member.name.split("/", 1)[1]
        tar.extractall(folder, tests, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = needs_early_gc: none\n")
    return folder


@pytest.mark.parametrize("engine", sorted(EXCEPTIONS))
@pytest.mark.parametrize("module", sorted(LEAST))
def test_of_execnet_itself(module, engine, upstream, build, transports, monkeypatch):
    # The ssh server and its workers inherit the engine.
    monkeypatch.setenv("EXECNET_ENGINE", engine)
    monkeypatch.setenv("EXECNET_PYTHON", sys.executable)
    key = engine, "sshserver"
    if key not in transports._known:
        transports._known[key] = transports.start_sshserver()
    port, config = transports._known[key]
    report = upstream / ("%s-%s.xml" % (module, engine))
    worker = build("./examples/textstats", "EXECNET_TEST_TEXTSTATS")
    environ = dict(os.environ, GO_WORKER=worker, PYTHONPATH=os.pathsep.join(
        part for part in [os.path.join(HERE, "upstream"), os.environ.get("PYTHONPATH", "")] if part))
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a test wants sys.dont_write_bytecode to be false
    chosen = " and ".join("not " + word for word in ["gevent", "eventlet", *EXCEPTIONS[engine]])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "goworkers", "-p", "no:cacheprovider", "-p", "no:hypothesispytest",
         "-p", "no:xdist", "-k", chosen, "--gx", "ssh=-p %d -F %s box" % (port, config), "--junitxml", str(report),
         "testing/%s.py" % module],
        cwd=str(upstream), env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=300)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 0, said
    suite = ElementTree.parse(str(report)).getroot().find("testsuite").attrib
    passed = int(suite["tests"]) - int(suite["skipped"]) - int(suite["failures"]) - int(suite["errors"])
    assert passed >= LEAST[module], said
