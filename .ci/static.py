"""Runs the checks that need no test: formatting, comments, go vet, staticcheck, govulncheck, go.mod.

Each runs over the module, and over bench/, embedded/ and examples/arrow/, which are modules, too. Only
formatting and comments are checked in internal/testsupport/kubernetes/: staticcheck would need minutes for
what it requires. The tools come from the Go module proxy, in the versions named here. govulncheck needs
a database from vuln.go.dev; where that cannot be reached, a line says so and nothing fails. A copy of
the database can be named in $VULNDB, as a URL.
"""
import os
import subprocess
import sys
import urllib.request

STATICCHECK = "honnef.co/go/tools/cmd/staticcheck@v0.8.2"
GOVULNCHECK = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
MODULES = [".", "bench", "embedded", "examples/arrow"]

failed = []


def run(module, *command):
    """Runs a command in the folder of a module; its output goes to ours."""
    print("== %s: %s" % (module, " ".join(command)), flush=True)
    if subprocess.call(command, cwd=module) != 0:
        failed.append("%s: %s" % (module, " ".join(command)))


def gofmt():
    print("== gofmt -l", flush=True)
    files = subprocess.check_output(["git", "ls-files", "*.go"], universal_newlines=True).split()
    files = [f for f in files if os.path.exists(f)]
    unformatted = subprocess.check_output(["gofmt", "-l"] + files, universal_newlines=True)
    if unformatted:
        print("not formatted (run gofmt -w):\n" + unformatted, flush=True)
        failed.append("gofmt")


def unreachable(database):
    """Why the vulnerability database cannot be read, or None if it can."""
    if database.startswith("file:"):
        return None
    try:
        urllib.request.urlopen(database + "/index/db.json", timeout=20).close()
    except OSError as error:
        return error


def govulncheck(modules):
    database = os.environ.get("VULNDB", "https://vuln.go.dev")
    reason = unreachable(database)
    if reason:
        print("== govulncheck: NOT CHECKED for known vulnerabilities: %s cannot be reached: %s" % (database, reason), flush=True)
        return
    for module in modules:
        run(module, "go", "run", GOVULNCHECK, "-db", database, "./...")


gofmt()
run(".", sys.executable, os.path.join(".ci", "comments.py"))
for module in MODULES:
    run(module, "go", "vet", "./...")
    run(module, "go", "run", STATICCHECK, "./...")
    run(module, "go", "mod", "tidy", "-diff")
    run(module, "go", "mod", "verify")
govulncheck(MODULES)
if failed:
    sys.exit("failed:\n" + "\n".join(failed))
