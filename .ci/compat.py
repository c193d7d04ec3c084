"""Runs tests of compat_tests by a command: compat.py execnet pytest ARGUMENTS...

Tests that have failed run once more, one after the other, for the reason that go_test.py gives, and
the output names them.
"""
import os
import subprocess
import sys
import tempfile
from xml.etree import ElementTree

MOST = 5  # tests that may fail at first


def failed(report):
    """The node ids of the tests that have failed, as the report says."""
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            module = case.get("classname").rpartition(".")[2]
            yield "compat_tests/%s.py::%s" % (module, case.get("name"))


def main(command):
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "compat.xml")
        code = subprocess.call(command + ["--junitxml", report])
        tests = list(failed(report)) if code == 1 else []
    if not 0 < len(tests) <= MOST:
        return code
    print("== once more:", *tests, flush=True)
    code = subprocess.call([sys.executable, "-m", "pytest", "-q"] + tests)
    if code == 0:
        print("== failed at first, and passed when they ran once more:", *tests, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
