"""Runs go vet over the module, bench/ and embedded/ as if they were built for each system named."""
import os
import subprocess
import sys

for system in sys.argv[1:]:
    for module in (".", "bench", "embedded"):
        print("go vet for %s: %s" % (system, module), flush=True)
        subprocess.check_call(["go", "vet", "./..."], cwd=module, env=dict(os.environ, GOOS=system))
