"""Runs go test on this module's packages: go_test.py all|compat|these ARGUMENTS...

all are those but compat_tests; these stand among the arguments and begin with a dot. The machines of
CI are shared: for seconds a test may get no processor. So tests that have failed run once more, by
themselves, and the output names them. A data race, a panic or a goroutine that was left counts at
once: it may come rarely and is a fault all the same.
"""
import re
import subprocess
import sys

FAILED = re.compile(r"--- FAIL: (\w+) \(")  # of a test; those of its parts have a slash in the name
PACKAGE = re.compile(r"FAIL\t(\S+)")
AT_ONCE = "WARNING: DATA RACE", "panic: ", "fatal error: ", "found unexpected goroutines", "test timed out"
MOST = 5  # tests that may fail at first


def run(args):
    """go test's exit code, its failed tests by package, and whether there is something that counts at once."""
    failed, names, at_once = {}, [], False
    with subprocess.Popen(["go", "test"] + args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace") as go:
        for line in go.stdout:
            print(line, end="", flush=True)
            at_once = at_once or any(text in line for text in AT_ONCE)
            names += FAILED.findall(line)
            package = PACKAGE.match(line)
            if package:
                failed[package.group(1)], names = names, []
    return go.wait(), failed, at_once


def main(which, args):
    if which == "these":
        packages = [arg for arg in args if arg.startswith(".")]
        args = [arg for arg in args if not arg.startswith(".")]
    else:
        every = subprocess.check_output(["go", "list", "./..."], universal_newlines=True).split()
        packages = [p for p in every if ("/compat_tests" in p) == (which == "compat")]
    code, failed, at_once = run(args + packages)
    if code == 0 or at_once or not failed or not all(failed.values()) or sum(map(len, failed.values())) > MOST:
        return code
    for package, names in failed.items():
        print("== once more:", package, *names, flush=True)
        if run(args + ["-count=1", "-run", "^(%s)$" % "|".join(names), package])[0]:
            return code
    print("== failed at first, and passed when they ran once more:", *sum(failed.values(), []), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
