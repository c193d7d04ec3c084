"""The programs of corpus/ on Go workers, compared with the same programs on pip's own worker.

With a CPython behind the Go worker every program must give the same items, errors and files. With
gpython a part of them does; docs/gpython.md names the share.
"""
import os
import re

import pytest

from conftest import ROOT
from corpusruns import REFERENCE, Workers, programs

PROGRAMS = programs()

# Programs that a Go worker with a CPython does not run as pip's worker does, and why.
DEFECTS = {}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs use sh, signals and sockets of POSIX systems")


@pytest.fixture(scope="module")
def workers(tmp_path_factory, build):
    """workers(engine) starts and keeps the workers with an engine; engine None is pip's worker."""
    known = {}

    def workers(engine):
        if engine not in known:
            spec = REFERENCE
            if engine:
                spec = "popen//python=" + build("./examples/textstats", "EXECNET_TEST_TEXTSTATS")
            known[engine] = Workers(spec, engine, str(tmp_path_factory.mktemp("corpus")))
        return known[engine]
    yield workers
    for each in known.values():
        each.close()


@pytest.fixture(scope="module")
def expected(workers):
    """expected(program) is the program's result on pip's own worker."""
    known = {}

    def expected(program):
        if program.name not in known:
            known[program.name] = workers(None).run(program)
        return known[program.name]
    return expected


def each_program(defects):
    """Runs a test for each program; those of the dict of defects are expected to fail."""
    return pytest.mark.parametrize("program", [
        pytest.param(program, id=program.name,
                     marks=[pytest.mark.xfail(strict=True, reason=defects[program.name])] if program.name in defects else [])
        for program in PROGRAMS])


def test_there_are_enough_programs():
    assert len(PROGRAMS) >= 150
    assert all(program.module.__doc__ for program in PROGRAMS)
    assert set(DEFECTS) <= {program.name for program in PROGRAMS}


@each_program(DEFECTS)
def test_with_a_cpython(program, workers, expected):
    want = expected(program)
    assert want[0], "the program has no result"
    assert workers("cpython").run(program) == want


# Each gateway is new: once a program has run in the CPython, all that follow do, too.
@each_program(DEFECTS)
def test_with_the_engine_chosen_by_the_worker(program, workers, expected):
    assert workers("auto").run(program, alone=True) == expected(program)


def test_share_of_gpython(workers, expected, capsys):
    """Runs every program with gpython, prints the share that is the same, and checks the documented one."""
    same, other = [], []
    for program in PROGRAMS:
        want = expected(program)
        try:
            result = workers("gpython").run(program)
        except Exception as error:  # what the driver's part met
            result = error
        (same if result == want else other).append((program.name, result, want))
    with capsys.disabled():
        print("\ngpython runs %d of the %d programs of the corpus (%d %%) as CPython does"
              % (len(same), len(PROGRAMS), 100 * len(same) // len(PROGRAMS)))
    with open(os.path.join(ROOT, "docs", "gpython.md"), encoding="utf-8") as f:
        share, of, percent = map(int, re.search(
            r"(\d+) of the (\d+) programs of\s+`compat_tests/corpus/` \((\d+) %\)", f.read()).groups())
    assert of == len(PROGRAMS)
    assert share <= len(same)
    assert percent == 100 * share // of
