"""A plugin for the acceptance tests of pytest-xdist: they run execnet pytest in place of pytest.

    EXECNET=PROGRAM python -m pytest -p xdist_acceptance testing/acceptance_test.py

These tests run pytest -n in a suite of their own, and look at what that prints and at its exit code.
Here "pytester" starts the program instead. Most tests hold for it as they are. Where the two say the
same in other words, WORDS has both. Tests that ask for something that execnet pytest does otherwise
on purpose, or does not have, are in OTHERWISE, with the reason; they are skipped.
"""
import os
import re
import sys

import pytest

# A pattern of pytest-xdist's, and what stands for it.
WORDS = {
    r"created: (\d)/\d workers?": r"workers: \1*",
    r"\*?[Rr]eplacing crashed worker.*": "* takes its place",
    r"\*?[Ww]orker\*crashed while running\*": "worker gw* died *",
    r"\*node\*down\*": "*worker* died *",
    r"\*crashed\*test_crash\*": "FAILED *test_crash - worker gw* died *",
    r"dir_a/test_foo\.py::test_1\*": "*PASSED dir_a/test_foo.py::test_1*",
}

CONTROLLER = "it asks for hooks in pytest's own process, which all workers report to; there is none"
EXIT = "the exit code is that of pytest without pytest-xdist"
FEWER = "it asks which worker runs what; there are only as many workers as are worth it"
SAID = "it asks for the words in which pytest-xdist tells its progress"
LIMIT = "with as many crashes as are allowed, the workers that are left go on"
OPTION = "it asks for an option that is called otherwise, or left to pytest itself"
NODE_IDS = "the names of tests do not get the names of their groups"
OTHERWISE = {
    "TestAPI": "it asks for functions of the package xdist",
    "TestDistribution::test_data_exchange": CONTROLLER,
    "TestDistribution::test_keyboardinterrupt_hooks_issue79": CONTROLLER,
    "test_session_testscollected": CONTROLLER,
    "test_session_hooks": CONTROLLER,
    "TestDistribution::test_n1_import_error": EXIT,
    "TestDistribution::test_exitfirst_waits_for_workers_to_finish": EXIT,
    "test_collection_crash": EXIT,
    "TestLoadScope::test_workqueue_ordered": FEWER,
    "TestLoadScope::test_module_single_start": FEWER,
    "TestFileScope::test_module_single_start": FEWER,
    "test_worker_id_fixture": FEWER,
    "TestTerminalReporting::test_output_verbosity": SAID,
    "TestTerminalReporting::test_fail_platinfo": SAID,
    "test_color_yes_collection_on_non_atty": SAID,
    "TestNodeFailure::test_max_worker_restart": LIMIT,
    "TestNodeFailure::test_disable_restart": LIMIT,
    "TestDistribution::test_distribution_rsyncdirs_example": OPTION,
    "TestDistribution::test_dist_ini_specified": OPTION,
    "TestGroupScope::test_multiple_group": NODE_IDS,
    "test_issue_594_random_parametrize": "the suite is collected once, so workers cannot find different tests",
    "test_crashing_item[teardown]": "a test that crashes in its tear-down counts once",
    "test_multiple_log_reports": "a test that a plugin reports twice counts once",
}


def pytest_configure(config):
    # The program uses the interpreter that runs this. pytester gives each test another home.
    os.environ["VIRTUAL_ENV"] = sys.prefix
    os.environ.setdefault("XDG_CACHE_HOME", os.path.expanduser("~/.cache"))
    pytester = pytest.Pytester
    pytester._getpytestargs = lambda self: (os.environ["EXECNET"], "pytest")
    pytester.runpytest = pytester.runpytest_subprocess = in_subprocess(pytester.runpytest_subprocess)
    matcher = pytest.LineMatcher
    matcher.fnmatch_lines = in_our_words(matcher.fnmatch_lines)


def pytest_collection_modifyitems(items):
    for item in items:
        name = item.nodeid.partition("::")[2]
        for beginning, reason in OTHERWISE.items():
            if name.startswith(beginning):
                item.add_marker(pytest.mark.skip(reason=reason))


def in_subprocess(runpytest_subprocess):
    def runpytest(self, *args, **options):
        # With --debug it is pytest itself that runs.
        result = runpytest_subprocess(self, *[arg for arg in args if arg != "--debug"], **options)
        # What concerns the whole run goes to stderr, where pytest-xdist prints it to stdout.
        result.stdout.lines += result.stderr.lines
        return result
    return runpytest


def in_our_words(fnmatch_lines):
    def translated(self, lines, **options):
        if not isinstance(lines, str):
            lines = [ours(line) for line in lines]
        return fnmatch_lines(self, lines, **options)
    return translated


def ours(line):
    for theirs, words in WORDS.items():
        found = re.fullmatch(theirs, line)
        if found:
            return found.expand(words)
    return line
