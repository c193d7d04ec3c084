//go:build unix

package testrun_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/suites"
)

// TestEveryPytest runs a suite with each CPython, each of which has a pytest of another age.
func TestEveryPytest(t *testing.T) {
	for _, p := range pythons.All(t) {
		for _, noFork := range []bool{false, true} {
			name := p.Version()
			if noFork {
				name += ", not forked"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				spec := p.Spec() + "//env:PYTHONPATH=" + pythons.Pytest(t, p.Version())
				suite := files{
					"test_it.py": suites.Outcomes + "\n\ndef test_exits():\n    os._exit(7)\n",
					// What is put there in pytest's place is what pytest would find out.
					"conftest.py": "def pytest_runtest_setup(item):\n    told = item.location\n" +
						"    vars(item).pop('location', None)\n    assert item.location == told\n",
				}
				r := runIn(t, enough(t), suite.Write(t), 0,
					testrun.Config{Specs: specs(t, 2, spec), NoFork: noFork, MaxRestarts: 2}, nil)
				require.NoError(t, r.err)
				assert.Equal(t, testrun.TestsFailed, r.code)
				want := suites.Ended("test_it.py")
				want["test_it.py::test_exits"] = testrun.Crashed
				assert.Equal(t, want, r.outcomes(t))
				for _, up := range of[*testrun.WorkerUp](r) {
					assert.True(t, strings.HasPrefix(up.Python, p.Version()+"."), up.Python)
					assert.Equal(t, !noFork && p.AtLeast(3, 3), up.Forked)
				}
				failed := r.test(t, "test_it.py::test_fail")
				call := failed.Phases[1]
				assert.Equal(t, "test_it.py", call.Path)
				assert.Equal(t, suites.Line("assert x == 2"), call.Line)
				assert.Contains(t, call.Message, "assert 1 == 2")
				assert.Contains(t, call.Text, ">       assert x == 2")
				require.NotEmpty(t, call.Sections)
				assert.Contains(t, call.Sections[0].Text, "said before")
				warnings := of[*testrun.Warning](r)
				require.Len(t, warnings, 1)
				assert.Equal(t, "UserWarning", warnings[0].Category)
				assert.Contains(t, r.test(t, "test_it.py::test_exits").Reason, "7")
			})
		}
	}
}

// TestPlugins runs a suite with plugins that have something to do with workers.
func TestPlugins(t *testing.T) {
	suite := files{
		"covered.py": "def f(x):\n    if x:\n        return 1\n    return 2\n",
		"test_it.py": `
import asyncio, os, pytest, random, time
import covered

def test_one(): assert covered.f(1) == 1
def test_two(): assert covered.f(0) == 2

@pytest.mark.asyncio
async def test_async():
    await asyncio.sleep(0)

@pytest.mark.flaky(reruns=3)
def test_flaky(tmp_path_factory):
    seen = os.path.join(os.path.dirname(__file__), "seen")
    with open(seen, "a") as f:
        f.write("x")
    assert os.path.getsize(seen) == 3

@pytest.mark.timeout(0.2, method="signal")
def test_slow(): time.sleep(60)

@pytest.mark.parametrize("n", range(20))
def test_many(n): pass
`,
	}
	spec := "popen//python=" + pythons.WithExecnet(t) + "//env:PYTHONPATH=" + pythons.Pytest(t, "plugins")
	r := runFiles(t, 0, suite, testrun.Config{Specs: specs(t, 2, spec), Args: []string{"--cov=covered", "--cov-report=term-missing", "--html=all.html"}})
	require.NoError(t, r.err)
	outcomes := r.outcomes(t)
	require.Len(t, outcomes, 25)
	for id, outcome := range outcomes {
		want := testrun.Passed
		if id == "test_it.py::test_slow" {
			want = testrun.Failed
		}
		assert.Equal(t, want, outcome, id)
	}
	assert.Equal(t, 2, r.test(t, "test_it.py::test_flaky").Reruns)
	assert.Contains(t, r.test(t, "test_it.py::test_slow").Phases[1].Text, "Timeout")
	told := ""
	for _, notice := range of[*testrun.Notice](r) {
		told += notice.Text + "\n"
	}
	assert.Regexp(t, `covered\.py +4 +0 +100%`, told)
	assert.Contains(t, told, "--html: there is no report of the whole run")
}

// Where pytest-xdist is installed, too, plugins look for what it would have given to a worker.
func TestPluginsBesideXdist(t *testing.T) {
	suite := files{"test_it.py": `
import os, pytest

@pytest.mark.flaky(reruns=3)
@pytest.mark.parametrize("n", range(4))
def test_flaky(n):
    seen = os.path.join(os.path.dirname(__file__), "seen%d" % n)
    with open(seen, "a") as f:
        f.write("x")
    assert os.path.getsize(seen) == 3
`}
	path := pythons.Pytest(t, "plugins") + string(os.PathListSeparator) + pythons.Pytest(t, "xdist")
	for _, noFork := range []bool{false, true} {
		spec := "popen//python=" + pythons.WithExecnet(t) + "//env:PYTHONPATH=" + path
		r := runFiles(t, 0, suite, testrun.Config{Specs: specs(t, 2, spec), NoFork: noFork})
		require.NoError(t, r.err)
		assert.Equal(t, testrun.OK, r.code)
		assert.Len(t, r.outcomes(t), 4)
		assert.Equal(t, 2, r.test(t, "test_it.py::test_flaky[1]").Reruns)
	}
}

// pytest-benchmark asks early whether there are workers, and is told later which one it is in.
func TestBenchmark(t *testing.T) {
	suite := files{"test_it.py": `
import pytest

@pytest.mark.parametrize("n", range(20))
def test_many(n, benchmark, worker_id, request):
    calls = []
    benchmark(calls.append, n)
    assert calls == [n]
    assert request.config._benchmarksession.xdist_worker == worker_id
`}
	for _, noFork := range []bool{false, true} {
		spec := "popen//python=" + pythons.WithExecnet(t) + "//env:PYTHONPATH=" + pythons.Pytest(t, "plugins")
		r := runFiles(t, 0, suite, testrun.Config{Specs: specs(t, 2, spec), NoFork: noFork})
		require.NoError(t, r.err)
		assert.Equal(t, testrun.OK, r.code, "%+v", of[*testrun.TestDone](r))
		assert.Len(t, r.outcomes(t), 20)
		for _, up := range of[*testrun.WorkerUp](r) {
			assert.Equal(t, !noFork, up.Forked, of[*testrun.Notice](r))
		}
	}
}

// TestDjango has pytest-django make a database for each worker, as with pytest-xdist.
func TestDjango(t *testing.T) {
	suite := files{
		"pytest.ini": "[pytest]\nDJANGO_SETTINGS_MODULE = site_settings\npythonpath = .\n",
		"site_settings.py": `
import os
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "site.db",
                         "TEST": {"NAME": os.path.join(os.path.dirname(__file__), "test.db")}}}
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "none"
`,
		"shop/__init__.py":            "",
		"shop/migrations/__init__.py": "",
		"shop/models.py":              "from django.db import models\n\nclass Fruit(models.Model):\n    name = models.CharField(max_length=9, unique=True)\n",
		"shop/migrations/0001_initial.py": `
from django.db import migrations, models

class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Fruit", [
        ("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=9, unique=True))])]
`,
		"test_it.py": `
import os, pytest
from django.db import connection
from shop.models import Fruit

@pytest.mark.django_db
@pytest.mark.parametrize("n", range(30))
def test_alone(n, worker_id, record_property):
    record_property("database", os.path.basename(connection.settings_dict["NAME"]))
    assert Fruit.objects.count() == 0  # what the one before has stored was taken back
    Fruit.objects.create(name="apple")

@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("n", range(6))
def test_with_transactions(n):
    Fruit.objects.create(name="pear")
    assert Fruit.objects.count() == 1

def test_without_a_database():
    with pytest.raises(RuntimeError, match="Database access not allowed"):
        Fruit.objects.count()
`,
	}
	for _, noFork := range []bool{false, true} {
		t.Run(fmt.Sprintf("no fork %v", noFork), func(t *testing.T) {
			spec := "popen//python=" + pythons.WithExecnet(t) + "//env:PYTHONPATH=" + pythons.Pytest(t, "plugins")
			r := runIn(t, enough(t), suite.Write(t), 0, testrun.Config{Specs: specs(t, 2, spec), NoFork: noFork}, nil)
			require.NoError(t, r.err)
			assert.Equal(t, testrun.OK, r.code, "%+v", of[*testrun.TestDone](r))
			assert.Len(t, r.outcomes(t), 37)
			for _, up := range of[*testrun.WorkerUp](r) {
				assert.Equal(t, !noFork, up.Forked, of[*testrun.Notice](r))
			}
			for _, done := range of[*testrun.TestDone](r) {
				if strings.Contains(done.Test.ID, "test_alone") {
					assert.Equal(t, [][2]string{{"database", "test.db_" + done.Worker}}, done.Properties)
				}
			}
		})
	}
}
