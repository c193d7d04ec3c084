package testrun_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
)

// spread has three files, each with a function, two classes and tests of groups across files.
func spread() files {
	f := files{}
	for i := range 3 {
		f[fmt.Sprintf("test_%d.py", i)] = fmt.Sprintf(`
import pytest, time
@pytest.mark.parametrize("i", range(6))
def test_f(i): time.sleep(0.01)
class TestA:
    @pytest.mark.parametrize("i", ["::", "b"])
    def test_a(self, i): time.sleep(0.01)
    def test_a2(self): pass
class TestB:
    def test_b(self): time.sleep(0.01)
    def test_b2(self): pass
@pytest.mark.xdist_group("one")
def test_one(): pass
@pytest.mark.xdist_group(name="g%d")
def test_own(): pass
@pytest.mark.xdist_group("g%d")
def test_own2(): pass
`, i, i)
	}
	return f
}

func TestDistributions(t *testing.T) {
	file := func(x *testrun.Test) string { return x.Path }
	together := map[testrun.Dist]func(*testrun.Test) string{
		testrun.Load:      nil,
		testrun.WorkSteal: nil,
		testrun.LoadFile:  file,
		testrun.LoadScope: func(x *testrun.Test) string {
			base, _, _ := strings.Cut(x.ID, "[")
			return base[:strings.LastIndex(base, "::")]
		},
		testrun.LoadGroup: func(x *testrun.Test) string { return x.Group },
	}
	for dist, part := range together {
		t.Run(string(dist), func(t *testing.T) {
			r := runFiles(t, 3, spread(), testrun.Config{Dist: dist})
			require.NoError(t, r.err)
			assert.Equal(t, testrun.OK, r.code)
			assert.Len(t, r.outcomes(t), 3*14)
			assert.Len(t, of[*testrun.Collected](r), 1)
			ran := map[string]string{} // the worker of each part
			for _, d := range of[*testrun.TestDone](r) {
				if part == nil || part(d.Test) == "" {
					continue
				}
				if w, known := ran[part(d.Test)]; known {
					assert.Equal(t, w, d.Worker, d.Test.ID)
				}
				ran[part(d.Test)] = d.Worker
			}
		})
	}
}

func TestEach(t *testing.T) {
	r := runFiles(t, 2, spread(), testrun.Config{Dist: testrun.Each})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.OK, r.code)
	assert.Len(t, of[*testrun.Collected](r), 2)
	ran := map[string]int{}
	for _, d := range of[*testrun.TestDone](r) {
		ran[d.Worker+d.Test.ID]++
	}
	assert.Len(t, ran, 2*3*14)
}

// A worker that has run out of tests takes some of another one that is busy.
func TestStealing(t *testing.T) {
	r := runFiles(t, 2, files{"test_it.py": `
import pytest, time
@pytest.mark.parametrize("i", range(40))
def test_f(i, worker_id):
    time.sleep(0.1 if i < 20 else 0)
`}, testrun.Config{Dist: testrun.WorkSteal, NoFork: true})
	require.NoError(t, r.err)
	slow := map[string]int{}
	for _, d := range of[*testrun.TestDone](r) {
		if d.Took.Seconds() > 0.09 {
			slow[d.Worker]++
		}
	}
	assert.Len(t, r.outcomes(t), 40)
	assert.Len(t, slow, 2, "one worker has run all slow tests")
}

// Fixtures end where they would end without workers: with the last test that uses them.
func TestFixturesEnd(t *testing.T) {
	r := runFiles(t, 2, files{"test_it.py": `
import os, pytest
made = []
@pytest.fixture(scope="session")
def session(worker_id):
    made.append(1)
    assert len(made) == 1
    yield
    os.write(2, ("session of %s ends\n" % worker_id).encode())
@pytest.fixture(params=["a", "b"], scope="module")
def module(request, session):
    yield request.param
@pytest.mark.parametrize("i", range(30))
def test_f(i, module): pass
`}, testrun.Config{Args: []string{"-s"}})
	require.NoError(t, r.err)
	assert.Equal(t, testrun.OK, r.code)
	for worker := range workersOf(r) {
		assert.Equal(t, 1, strings.Count(r.printed(), "session of "+worker+" ends"), worker)
	}
}

// workersOf are the workers that have run tests.
func workersOf(r result) map[string]bool {
	all := map[string]bool{}
	for _, d := range of[*testrun.TestDone](r) {
		all[d.Worker] = true
	}
	return all
}

func TestDifferentCollections(t *testing.T) {
	r := runFiles(t, 2, files{"test_it.py": `
import os, pytest, time
@pytest.mark.parametrize("i", ["x", os.environ["PYTEST_XDIST_WORKER"], "y"])
def test_f(i): time.sleep(2)
`}, testrun.Config{})
	assert.Equal(t, testrun.Internal, r.code)
	require.Error(t, r.err)
	assert.Regexp(t, `the workers gw[01] and gw[01] have collected different tests: test 2 is test_it.py::test_f\[gw[01]\] in the first and test_it.py::test_f\[gw[01]\] in the second one`, r.err.Error())
}
