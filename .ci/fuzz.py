"""Fuzzes each target of the module for a time, two targets at a time: fuzz.py [-fuzztime 10s]

The targets are what go test -list finds in every package, so a new one needs no entry anywhere. A
target that fails leaves its input in testdata/fuzz/ of its package, which go test runs from then on.
"""
import argparse
import concurrent.futures
import json
import subprocess
import sys


def targets():
    """Pairs of a package and the name of a fuzz target in it."""
    listed = subprocess.run(["go", "test", "-json", "-list", "^Fuzz", "./..."], stdout=subprocess.PIPE, universal_newlines=True)
    for line in listed.stdout.splitlines():
        event = json.loads(line)
        if event.get("Output", "").startswith("Fuzz"):
            yield event["Package"], event["Output"].strip()
    if listed.returncode != 0:
        sys.exit("go test -list failed:\n" + listed.stdout)


def fuzz(target, fuzztime):
    package, name = target
    command = ["go", "test", "-run", "^$", "-fuzz", "^%s$" % name, "-fuzztime", fuzztime, "-parallel", "1", package]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    print("== %s\n%s" % (" ".join(command), done.stdout), end="", flush=True)
    return done.returncode == 0


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
