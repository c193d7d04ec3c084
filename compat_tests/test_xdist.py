"""pip's pytest-xdist with Go workers that run tests in a CPython: over popen, sockets and ssh.

The outcome of each test must be that of plain pytest, but for the test that ends its process.
"""
import os
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree

import pytest

pytest.importorskip("xdist", reason="pytest-xdist is installed with the newest release of execnet alone")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the servers are started with POSIX commands")

SUITE = {
    "conftest.py": """
        import pytest

        @pytest.fixture(scope="session")
        def number():
            return 42

        @pytest.fixture
        def opened(tmp_path):
            path = tmp_path / "file"
            path.write_text("content")
            with path.open() as f:
                yield f
    """,
    "corpus_lib/__init__.py": "def double(x):\n    return x * 2\n",
    "test_outcomes.py": """
        import os
        import sys
        import pytest
        from corpus_lib import double

        @pytest.mark.parametrize("n", range(6))
        def test_double(n):
            assert double(n) == n + n

        @pytest.mark.parametrize("n", [1, 2, 3])
        def test_some_fail(n):
            assert n != 2, "two is wrong"

        def test_fixture(number, opened):
            assert number == 42 and opened.read() == "content"

        @pytest.mark.skip(reason="not here")
        def test_skipped():
            pass

        @pytest.mark.xfail(strict=True)
        def test_expected_to_fail():
            assert 0

        @pytest.fixture
        def broken():
            raise RuntimeError("in a fixture")

        def test_error(broken):
            pass

        def test_output(capfd):
            print("printed")
            os.system("echo child")
            assert capfd.readouterr().out == "printed\\nchild\\n"
            sys.stdout.write("seen if it fails")

        def test_unicode():
            assert "\\u20ac" == "$"
    """,
    "test_classes.py": """
        import unittest

        class TestState:
            seen = []

            def test_first(self):
                self.seen.append(1)

            def test_second(self):
                # The tests of a class are run by one worker, in order, with --dist loadscope.
                assert self.seen == [1]

        class Case(unittest.TestCase):
            def test_sum(self):
                self.assertEqual(sum([1, 2]), 3)

            def test_wrong(self):
                self.assertEqual(1, 2)
    """,
}

# It ends its process in a worker; plain pytest skips it.
CRASH = """
    import os
    import pytest

    def test_before():
        pass

    @pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="would end pytest")
    def test_crash():
        os._exit(7)

    def test_after():
        pass
"""


@pytest.fixture
def suite(tmp_path):
    """suite(files) writes a test suite and returns its folder."""
    def suite(files):
        folder = tmp_path / "suite"
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n")
        return folder
    return suite


def outcomes(folder, *args):
    """Runs pytest on a suite and returns the outcome of each test, and what pytest has said."""
    report = folder.parent / "report.xml"
    environ = dict(os.environ, EXECNET_ENGINE="cpython", EXECNET_PYTHON=sys.executable, PYTHONDONTWRITEBYTECODE="1")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-v", "--color=no",
         "--junitxml=%s" % report, "-o", "junit_family=xunit1", *args, str(folder)],
        cwd=str(folder), env=environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=120)
    said = done.stdout.decode(errors="replace")
    assert done.returncode == 1, said  # some tests fail
    found = {}
    for case in ElementTree.parse(str(report)).getroot().iter("testcase"):
        child = case.find("*")
        message = "" if child is None else (child.get("message") or "").split("\n")[0]
        found[case.get("classname"), case.get("name")] = child is not None and (child.tag, message)
    return found, said


@pytest.fixture(scope="module")
def textstats(build):
    return build("./examples/textstats", "EXECNET_TEST_TEXTSTATS")


@pytest.fixture
def servers(transports, monkeypatch):
    """The transports; what they start gives its workers a CPython."""
    monkeypatch.setenv("EXECNET_ENGINE", "cpython")
    monkeypatch.setenv("EXECNET_PYTHON", sys.executable)
    return transports


def same_as_plain(folder, *args):
    plain, _ = outcomes(folder, "-p", "no:xdist")
    assert len(plain) == 19 and sum(outcome is False for outcome in plain.values()) == 13
    found, said = outcomes(folder, *args)
    assert found == plain, said


@pytest.mark.parametrize("args", [
    ["-d", "--tx", "popen//python={}"],
    ["-d", "--tx", "2*popen//python={}"],
    ["--dist", "loadscope", "--tx", "2*popen//python={} worker"],
    ["--dist", "each", "--tx", "popen//python={}"],
], ids=" ".join)
def test_popen(args, suite, textstats):
    same_as_plain(suite(SUITE), *[arg.format(textstats) for arg in args])


def test_popen_to_another_folder(suite, textstats, tmp_path):
    """xdist copies the suite there with execnet's rsync."""
    folder = suite(SUITE)
    same_as_plain(folder, "-d", "--tx", "popen//python=%s//chdir=%s" % (textstats, tmp_path / "there"),
                  "--rsyncdir", str(folder))
    assert (tmp_path / "there" / "suite" / "test_outcomes.py").exists()


def test_socketserver(suite, servers, tmp_path, monkeypatch):
    (tmp_path / "cwd").mkdir()
    monkeypatch.chdir(tmp_path / "cwd")  # where the server's workers are
    port = servers.start_socketserver()
    folder = suite(SUITE)
    same_as_plain(folder, "-d", "--tx", "socket=127.0.0.1:%d" % port, "--rsyncdir", str(folder))
    assert list((tmp_path / "cwd").rglob("test_outcomes.py"))


def test_sshserver(suite, servers, tmp_path):
    port, config = servers.start_sshserver()
    folder = suite(SUITE)
    same_as_plain(folder, "-d", "--tx", "ssh=-p %d -F %s box//python=execnet//chdir=%s"
                  % (port, config, tmp_path / "there"), "--rsyncdir", str(folder))
    assert list((tmp_path / "there").rglob("test_outcomes.py"))


def test_a_worker_that_crashes_is_replaced(suite, textstats):
    folder = suite({"test_crash.py": CRASH})
    found, said = outcomes(folder, "-d", "--tx", "popen//python=" + textstats)
    assert found.pop(("test_crash", "test_before")) is False
    assert found.pop(("test_crash", "test_after")) is False
    (name, outcome), = found.items()
    assert outcome and "crashed while running" in outcome[1] and "test_crash" in outcome[1], (name, outcome)
    assert "replacing crashed worker gw0" in said
    assert "died (exit status 7)" in said
