package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// The sides of measurements of test suites.
const (
	ourRun   = "execnet pytest"
	xdistRun = "pytest-xdist"
	plainRun = "pytest"
)

// testSuite is a pytest suite that is measured: the names of its files, and what they contain.
type testSuite struct {
	name  string
	files map[string]string
}

var (
	nothingSuite = testSuite{"3200 tests that do nothing", numbered(16, func(int) string {
		return "import pytest\n\n@pytest.mark.parametrize('n', range(200))\ndef test_nothing(n):\n    pass\n"
	})}
	importSuite = testSuite{"50 short tests behind an import of 2 s", map[string]string{
		"slow_module.py": "import time\nend = time.process_time() + 2\nwhile time.process_time() < end:\n    pass\n",
		"test_it.py":     "import time\nimport pytest\nimport slow_module\n\n@pytest.mark.parametrize('n', range(50))\ndef test_short(n):\n    time.sleep(0.01)\n",
	}}
	// The tests of a file take ten milliseconds more than those of the one before.
	unevenSuite = testSuite{"20 files of uneven length", numbered(20, func(i int) string {
		return fmt.Sprintf("import time\nimport pytest\n\n@pytest.mark.parametrize('n', range(5))\ndef test_long(n):\n    time.sleep(%.2f)\n", float64(i+1)/100)
	})}
)

// waiting is a suite in which each worker waits, in its first test, until all have been measured.
func waiting(s testSuite, workers int) testSuite {
	w := testSuite{fmt.Sprintf("%s, %d workers", s.name, workers), maps.Clone(s.files)}
	w.files["conftest.py"] = "import os, time\nimport pytest\n\n@pytest.fixture(scope='session', autouse=True)\ndef measured(worker_id):\n" +
		"    open('ready-' + worker_id, 'w').close()\n    while not os.path.exists('measured'):\n        time.sleep(0.01)\n"
	return w
}

// numbered are so many test files.
func numbered(n int, content func(i int) string) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("test_%02d.py", i)] = content(i)
	}
	return files
}

// suites compares runs of test suites with two workers.
func (b *bench) suites() []measurement {
	compared := func(s testSuite, what string, aim float64, run func(*exec.Cmd) (time.Duration, error)) measurement {
		measured := func(name string) side {
			return once(name, func(ctx context.Context) (time.Duration, error) {
				cmd, err := b.suiteCommand(ctx, name, s, 2)
				if err != nil {
					return 0, err
				}
				return run(cmd)
			})
		}
		return comparison{
			name: "suite of " + s.name + what, figure: asTime, once: true, share: 3,
			sides: []side{measured(ourRun), measured(xdistRun), measured(plainRun)},
			goals: []goal{{ourRun, xdistRun, longer, aim}, {ourRun, plainRun, longer, 1}},
		}
	}
	return []measurement{
		compared(nothingSuite, ", first result", 0.5, firstResult),
		compared(nothingSuite, "", 0.33, runSuite),
		compared(importSuite, "", 0.6, runSuite),
		compared(unevenSuite, "", 0.9, runSuite),
		suiteMemory{b, nothingSuite, 4},
	}
}

// suiteCommand is how a side runs a suite with so many workers. Each side has a folder of its own,
// in which the next run finds what the last one has left, as a user's does.
func (b *bench) suiteCommand(ctx context.Context, side string, s testSuite, workers int) (*exec.Cmd, error) {
	if b.suiteTop == "" {
		top, err := os.MkdirTemp("", "bench-suites-")
		if err != nil {
			return nil, err
		}
		b.suiteTop = top
		b.trees = append(b.trees, top)
	}
	folder := filepath.Join(b.suiteTop, side, s.name)
	if err := s.write(folder); err != nil {
		return nil, err
	}
	python, number := b.pip.python.path, strconv.Itoa(workers)
	cmd := exec.CommandContext(ctx, python, "-m", "pytest")
	switch side {
	case ourRun:
		program, err := b.ourCommand(ctx)
		if err != nil {
			return nil, err
		}
		cmd = exec.CommandContext(ctx, program, "pytest", "-n", number, "--tx", "popen//python="+shellquote.Join(python))
	case xdistRun:
		// It is not in the interpreter itself, so that the other sides do without it.
		xdist := filepath.Join(filepath.Dir(filepath.Dir(python)), "pytest", "xdist")
		if _, err := os.Stat(xdist); err != nil {
			return nil, fmt.Errorf("pytest-xdist is not there; make venv installs it, with Python 3.10 or newer: %w", err)
		}
		cmd.Env = append(os.Environ(), "PYTHONPATH="+xdist)
		cmd.Args = append(cmd.Args, "-n", number)
	}
	cmd.Dir = folder
	return cmd, nil
}

// write writes the suite into a folder, unless it is there.
func (s testSuite) write(folder string) error {
	ini := filepath.Join(folder, "pytest.ini")
	if _, err := os.Stat(ini); err == nil {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for file, text := range s.files {
		if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(ini, []byte("[pytest]\n"), 0o600)
}

// ourCommand builds the command execnet, once.
func (b *bench) ourCommand(ctx context.Context) (string, error) {
	program := filepath.Join(b.suiteTop, "execnet.exe") // the name is right on every system
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/execnet")
	build.Dir, build.Stderr = pythons.Root(), os.Stderr
	return program, build.Run()
}

// suiteRun is a run of a suite that goes on.
type suiteRun struct {
	cmd   *exec.Cmd
	begun time.Time
	out   *bufio.Reader // of stdout and stderr
	said  strings.Builder
}

func startSuite(cmd *exec.Cmd) (*suiteRun, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = cmd.Stdout
	r := &suiteRun{cmd: cmd, begun: time.Now(), out: bufio.NewReader(out)}
	return r, cmd.Start()
}

// end waits for the end of a run, in which all tests have to pass, and returns how long it took.
func (r *suiteRun) end() (time.Duration, error) {
	_, err := io.Copy(&r.said, r.out)
	err = errors.Join(err, r.cmd.Wait())
	took := time.Since(r.begun)
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, r.said.String())
	}
	return took, err
}

// runSuite is the time that a run takes.
func runSuite(cmd *exec.Cmd) (time.Duration, error) {
	r, err := startSuite(cmd)
	if err != nil {
		return 0, err
	}
	return r.end()
}

// firstResult is the time until a run shows the result of a test.
func firstResult(cmd *exec.Cmd) (took time.Duration, err error) {
	cmd.Args = append(cmd.Args, "-v")
	r, err := startSuite(cmd)
	if err != nil {
		return 0, err
	}
	for took == 0 {
		line, err := r.out.ReadString('\n')
		r.said.WriteString(line)
		if strings.Contains(line, "PASSED") {
			took = time.Since(r.begun)
		}
		if err != nil {
			break
		}
	}
	_, err = r.end()
	if took == 0 {
		err = errors.Join(err, errors.New("it shows no test that has passed"))
	}
	return took, err
}
