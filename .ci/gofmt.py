"""Fails, naming the files, if any Go file is not formatted."""
import subprocess
import sys

files = subprocess.check_output(["git", "ls-files", "*.go"], universal_newlines=True).split()
unformatted = subprocess.check_output(["gofmt", "-l"] + files, universal_newlines=True)
if unformatted:
    sys.exit("not formatted (run gofmt -w):\n" + unformatted)
