"""Fuzzes each target of the module for a time, two targets at a time: fuzz.py [-fuzztime 10s]

The targets are the functions named Fuzz... in the module's test files, so a new one needs no entry
anywhere. A target that fails leaves its input in testdata/fuzz/ of its package, which go test runs
from then on.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys


def targets():
    """Pairs of a package's folder and the name of a fuzz target in it."""
    files = subprocess.check_output(["git", "ls-files", "*_test.go"], universal_newlines=True).split()
    for path in filter(os.path.exists, files):
        with open(path, encoding="utf-8") as f:
            for name in re.findall(r"^func (Fuzz\w*)\(", f.read(), re.MULTILINE):
                yield "./" + os.path.dirname(path), name


def fuzz(target, fuzztime):
    """Fuzzes a target and reports whether it found nothing.

    When the time ends at an unlucky moment, go test fails with "context deadline exceeded", though
    no input has failed. Minimizing inputs that are only interesting
    would take most of so short a time.
    """
    package, name = target
    command = ["go", "test", "-vet=off", "-run", "^$", "-fuzz", "^%s$" % name, "-fuzztime", fuzztime,
               "-fuzzminimizetime", "1x", "-parallel", "1", package]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    print("== %s\n%s" % (" ".join(command), done.stdout), end="", flush=True)
    if done.returncode == 0:
        return "no fuzz tests to fuzz" not in done.stdout
    found = "Failing input written" in done.stdout or "failure while testing seed corpus" in done.stdout
    return not found and re.search(r"^ +context deadline exceeded$", done.stdout, re.MULTILINE) is not None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-fuzztime", default="10s")
    fuzztime = parser.parse_args().fuzztime
    found = list(targets())
    if not found:
        sys.exit("no fuzz target was found")
    print("fuzzing %d targets for %s each" % (len(found), fuzztime), flush=True)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        failed = [t for t, ok in zip(found, pool.map(lambda t: fuzz(t, fuzztime), found)) if not ok]
    if failed:
        sys.exit("failed: " + ", ".join("%s %s" % t for t in failed))


main()
