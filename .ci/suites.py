"""Runs the test suites of well-known projects, as their source distributions have them, in four ways:
pytest, pytest -n 2 (pytest-xdist), and execnet pytest -n 2 with and without forking. It compares
every test's outcome with the one that plain pytest has. Then it runs the acceptance tests of
pytest-xdist with execnet pytest in place of pytest -n (see xdist_acceptance.py).

    python .ci/suites.py [--only NAME]... [--folder FOLDER] [--write docs/testing.md]

It exits with 1 if a test has another outcome with execnet pytest, is missing, or runs twice, unless
it does the same with pytest -n 2. Everything is made in FOLDER, where the next run finds it again;
without it that is a temporary folder. "--only acceptance" leaves out the suites.
"""
import argparse
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import xml.etree.ElementTree as ElementTree

import xdist_acceptance

LONGEST = 3600  # seconds that a run may take
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
RUNNERS = ["pytest==9.2.0", "pytest-xdist==3.8.0"]

# A suite: the project, its release, what its tests need besides, and arguments of pytest.
Suite = collections.namedtuple("Suite", "name release requirements args")
SUITES = [
    Suite("attrs", "26.1.0", ["cloudpickle==3.1.3", "hypothesis==6.170.15", "pympler==1.1"], []),
    Suite("click", "8.5.1", [], []),
    Suite("jinja2", "3.1.6", ["trio==0.35.0"], []),
    Suite("packaging", "26.4", ["hypothesis==6.170.15", "pretend==1.0.9", "tomli_w==1.2.0"], []),
    Suite("pluggy", "1.7.0", ["pytest-benchmark==5.3.1"], []),
    # Not httpx: its tests start a server at a fixed port, so they do not end in two processes.
    Suite("requests", "2.34.2", ["httpbin==0.10.4", "pysocks==1.7.1", "pytest-httpbin==2.1.0", "pytest-mock==3.17.0",
                                 "trustme==1.2.1"], []),
    Suite("pytest-xdist", "3.8.0", ["filelock==4.3.1", "pexpect==4.9.0"], []),
]


def run(*command, check=True, timeout=None, **options):
    """Runs a command to its end, or kills it with all that it has started after so many seconds."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True,
                          stdin=subprocess.DEVNULL, start_new_session=True, **options) as process:
        try:
            said, _ = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if check and process.returncode:
        sys.exit("%s\n%s" % (" ".join(command), said))
    return said


def prepare(suite, folder):
    """The interpreter with all that the suite needs, and the folder of its source distribution."""
    home = os.path.join(folder, "%s-%s" % (suite.name, suite.release))
    venv, tree, made = (os.path.join(home, name) for name in ("venv", "tree", "made"))
    python = os.path.join(venv, "bin", "python")
    wanted = " ".join(RUNNERS + suite.requirements)
    if os.path.exists(made):
        with open(made) as f:
            if f.read() == wanted:
                return python, tree
    shutil.rmtree(home, ignore_errors=True)
    os.makedirs(home)
    run(sys.executable, "-m", "venv", venv)
    pip = [python, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    project = "%s==%s" % (suite.name, suite.release)
    run(*pip + ["install", project] + RUNNERS + suite.requirements)
    run(*pip + ["download", "--no-deps", "--no-binary", suite.name, "--dest", home, project])
    archive, = [name for name in os.listdir(home) if name.endswith(".tar.gz")]
    with tarfile.open(os.path.join(home, archive)) as tar:
        tar.extractall(home, **({"filter": "data"} if hasattr(tarfile, "data_filter") else {}))
    os.rename(os.path.join(home, archive[:-len(".tar.gz")]), tree)
    with open(made, "w") as f:
        f.write(wanted)
    return python, tree


def ways(python, execnet):
    ours = [execnet, "pytest", "-n", "2", "--tx", "popen//python=" + python]
    return [("pytest", [python, "-m", "pytest"]), ("pytest -n 2", [python, "-m", "pytest", "-n", "2"]),
            ("execnet pytest -n 2", ours), ("with --no-fork", ours + ["--no-fork"])]


# A test as a JUnit file has it. The reason is that of a skip.
Case = collections.namedtuple("Case", "path test outcome reason")


def cases(command, suite, tree, **variables):
    """What ran, how long that took, and what was said. Nothing ran if it did not end."""
    with tempfile.TemporaryDirectory() as folder:
        copy, report = os.path.join(folder, "tree"), os.path.join(folder, "report.xml")
        shutil.copytree(tree, copy)
        begin = time.time()
        variables["PYTEST_DEBUG_TEMPROOT"] = folder  # other runs remove what is old in /tmp
        try:
            said = run(*command + ["-p", "no:cacheprovider", "--junitxml", report] + suite.args, cwd=copy, check=False, timeout=LONGEST,
                       env=dict(os.environ, **variables))
        except subprocess.TimeoutExpired:
            return [], time.time() - begin, "it has not ended within %d seconds" % LONGEST
        took = time.time() - begin
        if not os.path.exists(report):
            sys.exit("%s\n%s" % (" ".join(command), said))
        # Names can contain paths, which differ from run to run.
        found = [Case(case.get("classname"), case.get("name").replace(copy, "tree"), outcome(case), reason(case))
                 for case in ElementTree.parse(report).getroot().iter("testcase")]
        return found, took, said


def outcomes(found):
    """How often each test had which outcome."""
    return collections.Counter(case[:3] for case in found)


def outcome(case):
    kinds = ["error", "failure", "skipped"]
    found = [child for child in case if child.tag in kinds]
    if not found:
        return "passed"
    if any(child.get("type") == "pytest.xfail" for child in found):
        return "xfailed"
    return "/".join(sorted({"failure": "failed"}.get(child.tag, child.tag) for child in found))


def reason(case):
    skipped = case.find("skipped")
    return "" if skipped is None else skipped.get("message")


def total(counted):
    numbers = collections.Counter()
    for (_, _, how), n in counted.items():
        numbers[how] += n
    return ", ".join("%d %s" % (n, how) for how, n in numbers.most_common())


def compare(suite, folder, execnet):
    """The row of a suite in the table, and whether execnet pytest is as it should be."""
    python, tree = prepare(suite, folder)
    measured = []
    for name, command in ways(python, execnet):
        ran, took, said = cases(command, suite, tree)
        found = outcomes(ran)
        print("%-12s %-20s %6.1f s  %s" % (suite.name, name, took, total(found)), flush=True)
        measured.append((name, found, said))
    plain, xdist = measured[0][1], measured[1][1] or measured[0][1]
    right, cells = True, []
    for name, found, said in measured[1:]:
        # A test with another outcome is in both parts; so is one that runs twice in one of them.
        lost, more = plain - found, found - plain
        cells.append("does not end" if not found else "equal" if not lost and not more else "%d differ" % max(sum(lost.values()), sum(more.values())))
        own = [(lost - (plain - xdist), "only with pytest"), (more - (xdist - plain), "only with " + name)]
        for difference, where in own if found is not xdist else []:
            for (path, test, how), n in sorted(difference.items()):
                right = False
                print("    %s: %s %s %s (%d times)" % (where, path, test, how, n))
        if found is not xdist and any(difference for difference, _ in own):
            print(said)
    return "| %s | %s | %s | %s |" % (suite.name, suite.release, total(plain), " | ".join(cells)), right


def acceptance(folder, execnet):
    """The table of pytest-xdist's acceptance tests, and whether those that apply pass."""
    suite, = [suite for suite in SUITES if suite.name == "pytest-xdist"]
    python, tree = prepare(suite, folder)
    suite = suite._replace(args=["testing/acceptance_test.py"])
    own, took, _ = cases([python, "-m", "pytest"], suite, tree)
    print("%-12s %-20s %6.1f s  %s" % ("acceptance", "pytest -n", took, total(outcomes(own))), flush=True)
    ours, took, said = cases([python, "-m", "pytest", "-p", "xdist_acceptance"], suite, tree, EXECNET=execnet,
                             PYTHONPATH=os.path.join(ROOT, ".ci"))
    print("%-12s %-20s %6.1f s  %s" % ("acceptance", "execnet pytest", took, total(outcomes(ours))), flush=True)
    how = dict((case[:2], case.outcome) for case in own)
    reasons, same, right = collections.Counter(), 0, len(own) == len(ours)
    for case in ours:
        if case.reason in xdist_acceptance.OTHERWISE.values():
            reasons[case.reason] += 1
        elif case.outcome == "passed" or case.outcome == how.get(case[:2]) in ("skipped", "xfailed"):
            same += 1  # what fails there as expected may pass
        else:
            right = False
            print("    %s %s: %s, not %s" % (case.path, case.test, case.outcome, how.get(case[:2])))
    if not right:
        print(said)
    rows = [("hold", same)] + [("do not apply: " + text, n) for text, n in reasons.most_common()]
    table = ["| The %d acceptance tests of pytest-xdist %s | Tests |" % (len(own), suite.release), "|---|---|"]
    return "\n".join(table + ["| %s | %d |" % row for row in rows]), right


def put(page, name, table):
    """The page with the table in the place of the one that the comments with this name enclose."""
    begin, end = "<!-- begin %s -->\n" % name, "<!-- end %s -->\n" % name
    page, n = re.subn(begin + ".*?" + end, lambda _: begin + table + "\n" + end, page, flags=re.DOTALL)
    if n != 1:
        sys.exit("the page lacks the lines %r and %r" % (begin.strip(), end.strip()))
    return page


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", action="append", help="the name of a suite, or acceptance; may be repeated")
    parser.add_argument("--folder", help="where environments and sources are kept")
    parser.add_argument("--write", help="the page whose tables are replaced")
    options = parser.parse_args()
    temporary = None if options.folder else tempfile.TemporaryDirectory()
    folder = os.path.abspath(options.folder or temporary.name)
    execnet = os.path.join(folder, "execnet")
    os.makedirs(folder, exist_ok=True)
    run("go", "build", "-o", execnet, "./cmd/execnet", cwd=ROOT)
    results = [compare(suite, folder, execnet) for suite in SUITES if not options.only or suite.name in options.only]
    tables = {}
    if results:
        tables["suites"] = "\n".join(["| Suite | Release | pytest | pytest -n 2 | execnet pytest -n 2 | with --no-fork |",
                                      "|---|---|---|---|---|---|"] + [row for row, _ in results])
    if not options.only or "acceptance" in options.only:
        tables["acceptance"], right = acceptance(folder, execnet)
        results.append((None, right))
    print("\n" + "\n\n".join(tables.values()))
    if options.write:
        with open(options.write, encoding="utf-8") as f:
            page = f.read()
        for name, table in tables.items():
            page = put(page, name, table)
        with open(options.write, "w", encoding="utf-8") as f:
            f.write(page)
    return 0 if all(right for _, right in results) else 1


if __name__ == "__main__":
    sys.exit(main())
