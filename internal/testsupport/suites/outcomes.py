# Tests with every outcome, for Python 2.7 and newer and pytest 4.6 and newer.
import logging
import os
import sys
import warnings

import pytest


def test_pass(worker_id):
    print("said by one that passes")
    assert worker_id == os.environ["PYTEST_XDIST_WORKER"]


def test_fail():
    print("said before")
    sys.stderr.write("an error line\n")
    logging.getLogger("api").warning("logged")
    x = 1
    assert x == 2


@pytest.fixture
def broken():
    raise RuntimeError("no set-up")


@pytest.fixture
def leaves():
    yield
    raise RuntimeError("no tear-down")


def test_setup(broken):
    pass


def test_teardown(leaves):
    pass


@pytest.mark.skip(reason="not now")
def test_skip():
    pass


def test_skip_inside():
    pytest.skip("later")


@pytest.mark.xfail(reason="known")
def test_xfail():
    assert 0


@pytest.mark.xfail(reason="was known")
def test_xpass():
    pass


@pytest.mark.xfail(strict=True, reason="must fail")
def test_strict():
    pass


@pytest.mark.parametrize("lang", ["eu", "a b", "a_b", "x/y", "", u"e\u0301"])
def test_lang(lang):
    assert lang != "eu"


class TestLogin(object):
    def test_in(self, tmpdir, capsys):
        print("captured")
        assert capsys.readouterr()[0] == "captured\n"

    class TestDeep(object):
        def test_deep(self, record_property):
            record_property("answer", 42)


def test_warns():
    warnings.warn("old thing", UserWarning)
