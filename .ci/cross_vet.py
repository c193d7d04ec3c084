"""Runs go vet over the module as if it were built for each system named."""
import os
import subprocess
import sys

for system in sys.argv[1:]:
    print("go vet for", system, flush=True)
    subprocess.check_call(["go", "vet", "./..."], env=dict(os.environ, GOOS=system))
