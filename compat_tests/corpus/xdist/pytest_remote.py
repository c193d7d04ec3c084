"""Runs pytest in the worker with a plugin that sends reports, as xdist's remote does."""
OWN_GATEWAY = True


def remote(channel, folder):
    import io
    import sys
    import contextlib
    import pytest
    sys.dont_write_bytecode = True

    class Reports:
        def pytest_runtest_logreport(self, report):
            if report.when == "call" or report.outcome != "passed":
                channel.send((report.nodeid.split("::")[-1], report.when, report.outcome))

        def pytest_sessionfinish(self, session, exitstatus):
            channel.send(("finished", session.testscollected, int(exitstatus)))

    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:terminal", "--rootdir", folder, folder], plugins=[Reports()])


def drive(at):
    at.write("test_it.py", "import pytest\n\ndef test_good():\n    pass\n\ndef test_bad():\n    assert 0\n\n@pytest.mark.skip\ndef test_skipped():\n    pass\n\n"
             "@pytest.fixture\ndef broken():\n    1 / 0\n\ndef test_error(broken):\n    pass\n\n@pytest.mark.parametrize('n', [1, 2])\ndef test_n(n):\n    assert n\n")
    at.follow(at.run(remote, folder=at.folder))
