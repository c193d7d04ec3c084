package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/command/internal/prompt"
	"github.com/go-execnet/execnet/internal/command/internal/pytestargs"
	"github.com/go-execnet/execnet/internal/testreport"
	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/internal/txspec"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

type pytestFlags struct {
	tx       []string
	number   string
	dist     string
	noFork   bool
	restarts int
	timeout  time.Duration
	rsync    []string
	env      []string
	json     bool
	watch    bool
}

func newPytest() *cobra.Command {
	var f pytestFlags
	cmd := &cobra.Command{
		Use:   "pytest [-n N] [--tx SPEC]... [PYTEST'S OWN ARGUMENTS]",
		Short: "Run a pytest suite in many interpreters at once",
		Long: `Pytest runs a suite as "python -m pytest" does, in several interpreters at once,
and shows it as pytest does. The interpreters need pytest, from 4.6 on, and neither
pytest-xdist nor execnet. Suites made for pytest-xdist run unchanged.

The options below are this command's, wherever they stand before a "--". All others
go to pytest: files and node ids, -k, -m, -x, --lf, -p, -o and so on. What concerns
the output, such as -v, -q, -r, --tb, --durations, --color and --junitxml, does what
it does in pytest, and counts as well in an ini file's addopts and in PYTEST_ADDOPTS.
"python -m pytest --help" lists pytest's options.

Without --tx there is a worker for each processor. A worker without python= runs the
Python of $VIRTUAL_ENV; else that of the folder .venv here; else $EXECNET_PYTHON,
python3 or python. All run in the current folder, those on other hosts where they
start, or in the copy that --rsync makes.

How tests come to workers, as with pytest-xdist, by --dist here or else in an ini
file's addopts, where -n and --tx do not count:

  load        to whoever is free; what took long in the last run starts first
  worksteal   in equal parts, and who has finished takes over from others
  loadscope   tests of a module or a class together
  loadfile    tests of a file together
  loadgroup   tests with the same mark xdist_group together
  each        all tests to every worker: at the end a table shows, for each test
              that has not passed everywhere, how it went in which interpreter

Tests that have failed in the last run start first. That and how long tests take is
kept in the folder .execnet, next to the ini file of pytest. --lf, --ff and --nf
go by pytest's own cache, which is written, too.

With --rsync DIR the folder DIR, which is the current one or one in it, is copied to
each worker that is on another host or has chdir=, and the suite runs in the copy.
The copies are made in chdir=, else in a folder of the worker's home. Paths in
what is shown are those here.

A few options of pytest have no workers: --fixtures, --markers, --setup-plan,
--stepwise, --version and the like are left to pytest, in one process. --pdb and
--trace cannot work with tests in other processes.

Exit codes are pytest's: 0 all tests passed, 1 some failed, 2 interrupted, or errors
during collection, 3 the run could not be carried out, 4 wrong arguments, 5 no tests.`,
		Example: `  execnet pytest
  execnet pytest -n 4 -x tests/test_api.py -k 'not slow'
  execnet pytest --tx '2*popen//python=python3.12' --dist loadfile
  execnet pytest --dist each --tx popen//python=python3.8 --tx popen//python=python3.13
  execnet pytest --tx '8*ssh=me@example.org//python=venv/bin/python' --rsync .
  execnet pytest --json | tee results.json`,
		DisableFlagParsing: true, // most options are pytest's
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&f.number, "numprocesses", "n", "", "so many workers as `N` says, or \"auto\", one for each processor; with --tx, N for each SPEC")
	flags.StringArrayVar(&f.tx, "tx", nil, "`SPEC` of a worker, or N*SPEC for N of them; may be repeated")
	flags.StringVar(&f.dist, "dist", "", "how tests come to workers: `MODE` is load, worksteal, loadscope, loadfile, loadgroup or each (default: what addopts says, else load)")
	flags.BoolVar(&f.noFork, "no-fork", false, "let every worker collect the suite by itself; otherwise those on this host are forked from one that has collected, where that can be done")
	flags.IntVar(&f.restarts, "max-worker-restart", -1, "replace at most `N` workers that die (default: 4 for each worker)")
	flags.Var(seconds{&f.timeout}, "timeout", "end a test, and its worker, after this `TIME`, such as 30 or 30s or 5m; it has failed then (default: never)")
	flags.StringArrayVar(&f.rsync, "rsync", nil, "copy the folder `DIR` to other hosts first; may be repeated")
	addEnv(cmd, &f.env)
	flags.BoolVar(&f.watch, "watch", false, "when the run has ended, wait until a file changes, and run again what that concerns: the tests of the file, or all; Ctrl-C ends")
	flags.BoolVar(&f.json, "json", false, "write the events of \"go test -json\" to stdout, and nothing else")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ours, rest := pytestargs.Split(args, flags)
		if err := flags.Parse(ours); err != nil {
			return pytestUsage(err)
		}
		if help, err := flags.GetBool("help"); err == nil && help { // cobra has added it
			return cmd.Help()
		}
		return f.run(cmd, rest)
	}
	return cmd
}

// pytestUsage is the error of a wrong command line, with pytest's exit code for that.
func pytestUsage(err error) error {
	return &exit{code: int(testrun.UsageError), err: fmt.Errorf("%w\nTry: execnet pytest --help", err)}
}

// leftToPytest are options with which no tests run, or only in order.
var leftToPytest = []string{
	"--version", "-V", "--fixtures", "--funcargs", "--fixtures-per-test", "--markers", "--setup-only", "--setup-plan", "--setup-show",
	"--cache-show", "--stepwise", "--sw", "--stepwise-skip", "--sw-skip", "--stepwise-reset", "--sw-reset", "--trace-config", "--debug",
}

func (f *pytestFlags) run(cmd *cobra.Command, rest []string) error {
	for _, option := range []string{"--pdb", "--trace"} {
		if pytestargs.Has(rest, option) {
			return pytestUsage(fmt.Errorf("%s needs the terminal, which tests in other processes do not have: use python -m pytest %[1]s", option))
		}
	}
	specs, err := f.specs()
	if err != nil {
		return pytestUsage(err)
	}
	if pytestargs.Has(rest, leftToPytest...) {
		return runPytestItself(cmd, specs[0], rest)
	}
	here, err := os.Getwd()
	if err != nil {
		return &exit{code: int(testrun.Internal), err: err}
	}
	config := testrun.Config{
		Specs: specs, Args: append([]string{}, rest...), Dist: testrun.Dist(f.dist), NoFork: f.noFork, MaxRestarts: f.restarts, Timeout: f.timeout,
		Memory: filepath.Join(pytestargs.Root(rest, here), ".execnet"),
	}
	if f.restarts < 0 {
		config.MaxRestarts = 4 * len(specs)
	}
	ctx, second, stop := fleet.WatchSignals(cmd.Context())
	defer stop()
	if f.watch {
		return f.watchSuite(ctx, second, cmd, config, pytestargs.Root(rest, here))
	}
	return f.runSuite(ctx, second, cmd, config)
}

// specs are the workers that the options ask for.
func (f *pytestFlags) specs() ([]*xspec.Spec, error) {
	if f.timeout < 0 {
		return nil, checkTimeout(f.timeout)
	}
	if f.dist == "no" {
		f.dist = "load"
		f.number = cmp.Or(f.number, "1")
	}
	switch testrun.Dist(f.dist) {
	case "", testrun.Load, testrun.WorkSteal, testrun.LoadScope, testrun.LoadFile, testrun.LoadGroup, testrun.Each:
	default:
		return nil, fmt.Errorf("--dist %s: it must be load, worksteal, loadscope, loadfile, loadgroup or each", f.dist)
	}
	number, err := f.workers()
	if err != nil {
		return nil, err
	}
	tx := f.tx
	if len(tx) == 0 {
		tx = []string{"popen"}
		number = cmp.Or(number, runtime.NumCPU())
	}
	if number > 0 {
		tx = slices.Clone(tx)
		for i, text := range tx {
			if multiplied.MatchString(text) {
				return nil, fmt.Errorf("-n %s and --tx %s: both say how many; leave one of them away", f.number, text)
			}
			tx[i] = fmt.Sprintf("%d*%s", number, text)
		}
	}
	specs, err := txspec.Parse(tx)
	if err != nil {
		return nil, fmt.Errorf("--tx: %w", err)
	}
	if err := txspec.SetEnv(specs, f.env); err != nil {
		return nil, fmt.Errorf("--env %w", err)
	}
	python := folderPython()
	for _, spec := range specs {
		if spec.Local() && spec.Python == "" && !spec.Self {
			spec.Python = python
		}
	}
	return specs, nil
}

// multiplied matches N*SPEC.
var multiplied = regexp.MustCompile(`^\s*[0-9]+\s*\*`)

// workers is the number that -n asks for, or 0 if it is not given.
func (f *pytestFlags) workers() (int, error) {
	switch f.number {
	case "":
		return 0, nil
	case "auto", "logical":
		if n, err := strconv.Atoi(os.Getenv("PYTEST_XDIST_AUTO_NUM_WORKERS")); err == nil && n > 0 {
			return n, nil
		}
		return runtime.NumCPU(), nil
	}
	n, err := strconv.Atoi(strings.TrimSpace(f.number)) // "-n 2" can come as one word
	if err != nil || n < 0 {
		return 0, fmt.Errorf("-n %s: it must be a number or auto", f.number)
	}
	return max(n, 1), nil // with pytest-xdist 0 means: one test at a time, in no other process
}

// folderPython is the interpreter of the virtual environment that is in use, or of that in the
// current folder, as a value of python=. It is "" if there is none of either.
func folderPython() string {
	program := []string{"bin", "python"}
	if runtime.GOOS == "windows" {
		program = []string{"Scripts", "python.exe"}
	}
	for _, folder := range []string{os.Getenv("VIRTUAL_ENV"), ".venv"} {
		if folder == "" {
			continue
		}
		path, err := filepath.Abs(filepath.Join(append([]string{folder}, program...)...))
		if info, statErr := os.Stat(path); err == nil && statErr == nil && !info.IsDir() {
			return quotedCommand(path)
		}
	}
	return ""
}

// endTime is how long a run may take to end after an interrupt, beyond what the workers have.
const endTime = 10 * time.Second

// runSuite runs the suite until ctx ends, and shows it. The channel second is closed when the user
// has no patience. More reports than those that the options ask for may be given.
func (f *pytestFlags) runSuite(ctx context.Context, second <-chan struct{}, cmd *cobra.Command, config testrun.Config, more ...testreport.Report) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	asking, stopAsking := context.WithCancel(ctx)
	ssh, settle := prompt.SSH(asking)
	defer func() { stopAsking(); settle() }()

	view := f.view(cmd, &config, cancel)
	view.reports = append(view.reports, more...)
	if len(f.rsync) > 0 {
		mapping, err := f.copyTrees(ctx, second, cmd, &config, ssh)
		if err != nil {
			return pytestEnd(ctx, testrun.Internal, err)
		}
		view.mapping = mapping
	}
	if !slices.ContainsFunc(config.Specs, func(spec *xspec.Spec) bool { return !spec.Local() }) {
		// The processors are the workers'. With one for all goroutines here, a message of a worker
		// wakes one thread, and not several.
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	}
	group := &multi.Group{Stderr: cmd.ErrOrStderr(), SSH: ssh, Grace: fleet.EndTime}
	config.Group = group
	type outcome struct {
		code testrun.ExitCode
		err  error
	}
	result := make(chan outcome, 1)
	go func() {
		code, err := testrun.Run(ctx, config, view.event)
		view.end(code, err, ctx)
		result <- outcome{code, err}
	}()
	atOnce, kill := context.WithCancel(context.Background())
	kill()
	select {
	case r := <-result:
		// The process that has forked the workers may still be ending.
		_ = group.Terminate(atOnce)
		return pytestEnd(ctx, r.code, errors.Join(r.err, view.err))
	case <-second:
	case <-afterEnd(ctx, endTime):
	}
	// Somebody does not read what is printed, or a worker does not end.
	_ = group.Terminate(atOnce)
	select {
	case r := <-result:
		return pytestEnd(ctx, r.code, nil)
	case <-time.After(fleet.InterruptedEndTime):
		return pytestEnd(ctx, testrun.Interrupted, nil)
	}
}

// afterEnd returns a channel that is closed some time after ctx has ended.
func afterEnd(ctx context.Context, delay time.Duration) <-chan struct{} {
	over := make(chan struct{})
	context.AfterFunc(ctx, func() { time.AfterFunc(delay, func() { close(over) }) })
	return over
}

// pytestEnd returns the error with the exit code of a run.
func pytestEnd(ctx context.Context, code testrun.ExitCode, err error) error {
	cause := context.Cause(ctx)
	var interrupted *fleet.Interrupted
	switch {
	case errors.As(cause, &interrupted) && interrupted.Signal == syscall.SIGTERM:
		return &exit{code: 128 + int(syscall.SIGTERM)}
	case errors.As(cause, &interrupted):
		return &exit{code: int(testrun.Interrupted)}
	case isBrokenPipe(cause):
		return &exit{code: exitPipe}
	case cause != nil:
		return &exit{code: int(testrun.Internal), err: cause}
	case err != nil && code == testrun.OK:
		return &exit{code: int(testrun.Internal), err: err}
	case err != nil || code != testrun.OK:
		return &exit{code: int(code), err: err}
	}
	return nil
}
