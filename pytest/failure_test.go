package pytest_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/sshdtest"
	"github.com/go-execnet/execnet/pytest"
	"github.com/go-execnet/execnet/server"
)

// TestCollectionErrors has files that cannot be imported.
func TestCollectionErrors(t *testing.T) {
	dir := files{
		"test_a.py": "def test_a(): pass", "test_b.py": "import no_such_module", "test_c.py": "class TestC:\n    def test_c(self: pass",
	}.Write(t)
	printed, status := goTest(t, pytest.Options{Dir: dir}, "-test.v")
	assert.Equal(t, 1, status)
	assert.Equal(t, map[string]string{"": "FAIL", "/test_b.py": "FAIL", "/test_c.py": "FAIL"}, ended(printed), printed)
	assert.Regexp(t, `(?m)^    .*test_b.py:1: ModuleNotFoundError: No module named 'no_such_module'$`, printed)
	assert.Regexp(t, `(?m)^    .*test_c.py:2: SyntaxError`, printed)
	assert.Contains(t, printed, "unless it gets --continue-on-collection-errors")
	printed, status = goTest(t, pytest.Options{Dir: dir, Args: []string{"--continue-on-collection-errors"}}, "-test.v")
	assert.Equal(t, 1, status)
	assert.Equal(t, map[string]string{"": "FAIL", "/test_b.py": "FAIL", "/test_c.py": "FAIL", "/test_a.py": "PASS", "/test_a.py/test_a": "PASS"},
		ended(printed), printed)
	printed, _ = goTest(t, pytest.Options{Dir: dir}, "-test.v", "-test.skip=TestPython/test_[bc].py")
	assert.Equal(t, map[string]string{"": "PASS", "/test_a.py": "PASS", "/test_a.py/test_a": "PASS"}, ended(printed), printed)
}

// TestCrash has interpreters that crash.
func TestCrash(t *testing.T) {
	dir := files{"test_a.py": `import ctypes, os
def test_1(): pass
def test_segfault():
    ctypes.string_at(0)
def test_exit(): os._exit(3)
def test_4(): pass
`}.Write(t)
	for _, workers := range []string{"1*", "2*"} {
		printed, status := goTest(t, pytest.Options{Dir: dir, Gateways: []string{workers + python(t)}}, "-test.v")
		assert.Equal(t, 1, status)
		assert.Equal(t, map[string]string{
			"": "FAIL", "/test_a.py": "FAIL", "/test_a.py/test_1": "PASS", "/test_a.py/test_segfault": "FAIL",
			"/test_a.py/test_exit": "FAIL", "/test_a.py/test_4": "PASS",
		}, ended(printed), printed)
		assert.Regexp(t, `(?m)^    `+dir+`/test_a.py:3: .*segmentation fault`, printed)
		assert.Contains(t, printed, `test_a.py", line 4 in test_segfault`)
		assert.Regexp(t, `(?m)^    `+dir+`/test_a.py:5: .*exit status 3`, printed)
	}
}

// TestInterruptedByATest has a test that ends the session, and a failure before it.
func TestInterruptedByATest(t *testing.T) {
	dir := files{"test_a.py": `
def test_1(): assert 0
def test_2(): raise KeyboardInterrupt
def test_3(): pass
`}.Write(t)
	printed, status := goTest(t, pytest.Options{Dir: dir, Gateways: []string{python(t)}}, "-test.v")
	assert.Equal(t, 1, status)
	assert.Equal(t, map[string]string{"": "FAIL", "/test_a.py": "FAIL", "/test_a.py/test_1": "FAIL", "/test_a.py/test_2": "SKIP"}, ended(printed), printed)
	assert.Contains(t, printed, "pytest has ended its session there: KeyboardInterrupt")
	assert.Contains(t, printed, "the run of pytest has ended early; 1 of 3 tests were not run")
	assert.NotContains(t, printed, "continue-on-collection-errors")
}

// TestRefusals shows what a user reads whose suite cannot be run.
func TestRefusals(t *testing.T) {
	dir := files{"test_a.py": "def test_a(): pass", "empty/notes.txt": ""}.Write(t)
	spec := python(t)
	bare := "popen//python=" + pythons.Default(t).Path
	for _, c := range []struct {
		o    pytest.Options
		want string
	}{
		{pytest.Options{Dir: dir, Gateways: []string{"popen//python=.venv/bin/python"}},
			`(?s)execnet: .*\.venv/bin/python.*a relative python= begins at the folder of the Go test, .*/pytest\n`},
		{pytest.Options{Dir: dir, Gateways: []string{bare + " -S"}}, `(?s)execnet: .*gw0: pytest is missing there \(.+pytest.*\); install it: /.* -m pip install pytest`},
		// This folder has one that is called pytest.
		{pytest.Options{Dir: "..", Gateways: []string{bare + " -S"}}, `execnet: .*gw0: pytest is missing there`},
		{pytest.Options{Dir: "no/such/folder"}, `execnet: Dir no/such/folder is no folder: /.*/pytest/no/such/folder is meant`},
		{pytest.Options{Dir: dir, Gateways: []string{"popn"}}, `execnet: Gateways: .*did you mean "popen"`},
		{pytest.Options{Dir: dir, Gateways: []string{spec}, Args: []string{"--no-such-option"}}, `(?s)execnet: .*no-such-option`},
		{pytest.Options{Dir: dir, Gateways: []string{spec}, Args: []string{"no_such_file.py"}}, `execnet: .*no_such_file.py`},
		{pytest.Options{Dir: dir, Gateways: []string{spec}, Dist: "none"}, `execnet: unknown distribution "none"`},
		{pytest.Options{Dir: dir, Gateways: []string{spec}, Dist: "each"}, `execnet: Dist "each": .*call Run in a subtest for each`},
		{pytest.Options{Dir: dir, Gateways: []string{spec}, Args: []string{"empty"}}, `execnet: there are no tests in `},
	} {
		printed, status := goTest(t, c.o)
		assert.Equal(t, 1, status)
		assert.Regexp(t, `main_test.go:\d+: `+c.want, printed)
		assert.NotContains(t, printed, "panic")
	}
}

// TestRoads runs a suite in interpreters that are reached in other ways.
func TestRoads(t *testing.T) {
	dir := files{"test_a.py": "import os\ndef test_a(): print('said', os.getcwd())\ndef test_b(): assert 0\n"}.Write(t)
	python := pythons.WithExecnet(t)
	ssh, interpreter := sshdtest.Start(t).Spec(), "//python="+python
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(t.Context())
	goWorker := server.Command{Args: []string{os.Args[0], "-u", "-c", cmdline.BootstrapLine}, Env: append(os.Environ(), "EXECNET_PYTHON="+python), Stderr: t.Output()}
	served := make(chan error, 1)
	go func() {
		served <- server.Socket{Command: goWorker}.Serve(ctx, listener)
	}()
	defer func() {
		stop()
		<-served
	}()
	for _, gateways := range [][]string{
		{"2*" + ssh + interpreter},
		{ssh + "//id=far" + interpreter, "popen//via=far" + interpreter},
		{"2*socket=" + listener.Addr().String()},
		{"2*popen//self//env:EXECNET_PYTHON=" + python},
	} {
		printed, status := goTest(t, pytest.Options{Dir: dir, Gateways: gateways}, "-test.v")
		assert.Equal(t, 1, status)
		assert.Equal(t, map[string]string{"": "FAIL", "/test_a.py": "FAIL", "/test_a.py/test_a": "PASS", "/test_a.py/test_b": "FAIL"},
			ended(printed), "%v %s", gateways, printed)
		assert.Contains(t, printed, "    said "+dir+"\n", gateways)
		assert.Contains(t, printed, "    "+filepath.Join(dir, "test_a.py")+":3: assert 0\n", gateways)
	}
}
