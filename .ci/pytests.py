"""Install a pytest for each CPython that is found, into folders of their own, for the tests.

    python .ci/pytests.py FOLDER

makes FOLDER/2.7, FOLDER/3.6 and so on, for PYTHONPATH, and for the Python that runs this
FOLDER/plugins, and FOLDER/xdist for the benchmarks. What is there already stays. The embedded CPython
is looked for beside FOLDER, in "pythons".
"""
import glob
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

# A release for each version, so that the old ones are among them.
PYTESTS = {"2.7": "4.6.11", "3.6": "6.2.5", "3.7": "7.4.4", "3.8": "8.3.5", "3.9": "8.4.2"}
NEWEST = "9.2.0"
PLUGINS = ["pytest-cov==7.1.0", "pytest-rerunfailures==16.7", "pytest-randomly==5.1.0",
           "pytest-timeout==2.4.0", "pytest-asyncio==1.5.0", "pytest-django==4.14.0", "django==5.2.19",
           "pytest-html==4.2.0", "pytest-benchmark==5.3.1"]
XDIST = ["pytest-xdist==3.8.0", "execnet==2.1.2"]


def interpreters(top):
    """The first interpreter of each version, by version."""
    paths = glob.glob(os.path.join(os.environ.get("PYENV_ROOT", "/none"), "versions", "*", "bin", "python"))
    unpacked = glob.glob(os.path.join(os.path.dirname(os.path.abspath(top)), "pythons", "*", "bin", "python3"))
    names = ["python3", "python", "python2.7"] + ["python3.%d" % minor for minor in range(6, 15)]
    found = {}
    for path in sorted(paths) + [path for path in map(shutil.which, names) if path] + unpacked:
        asked = subprocess.run([path, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
        if asked.returncode == 0:
            found.setdefault(asked.stdout.strip(), path)
    return found


def pip(version, python):
    """The command that installs packages for an interpreter. The embedded one has no pip."""
    if subprocess.call([python, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0:
        return [python, "-m", "pip", "install"]
    return [sys.executable, "-m", "pip", "install", "--python-version", version, "--only-binary", ":all:"]


def install(folder, command, packages):
    made = os.path.join(folder, "installed")
    wanted = " ".join(packages)
    if os.path.exists(made):
        with open(made) as f:
            if f.read() == wanted:
                return None
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(command + ["--quiet", "--target", folder] + packages,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode:
        return "%s has got no %s:\n%s" % (folder, wanted, done.stdout)
    with open(made, "w") as f:
        f.write(wanted)
    return None


def main():
    top = sys.argv[1]
    jobs = [(os.path.join(top, version), pip(version, python), ["pytest==" + PYTESTS.get(version, NEWEST)])
            for version, python in interpreters(top).items() if version in PYTESTS or version.startswith("3.1")]
    if sys.version_info >= (3, 10):
        for name, packages in ("plugins", PLUGINS), ("xdist", XDIST):
            jobs.append((os.path.join(top, name), [sys.executable, "-m", "pip", "install"], ["pytest==" + NEWEST] + packages))
    with ThreadPoolExecutor(2) as pool:
        problems = [problem for problem in pool.map(lambda job: install(*job), jobs) if problem]
    # An interpreter without pip is no reason to stop. The tests that need it say so.
    sys.stderr.write("".join(problems))


if __name__ == "__main__":
    main()
