package command

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/command/internal/changes"
	"github.com/go-execnet/execnet/internal/testreport"
	"github.com/go-execnet/execnet/internal/testrun"
)

// watchSuite runs the suite, and again whenever a file below root changes, until the user ends it.
func (f *pytestFlags) watchSuite(ctx context.Context, second <-chan struct{}, cmd *cobra.Command, config testrun.Config, root string) error {
	watcher, err := changes.New(root)
	if err != nil {
		return &exit{code: int(testrun.Internal), err: err}
	}
	defer watcher.Close()
	known := testFiles{}
	for {
		err := f.runSuite(ctx, second, cmd, config, known)
		var ended *exit
		if errors.As(err, &ended) && ended.err != nil && ctx.Err() == nil {
			fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", cmd.CommandPath(), plainError(ended.err))
		}
		if ctx.Err() != nil || ended != nil && ended.code == exitPipe {
			return err
		}
		// Tests write files, too. So of what has changed meanwhile only source files count.
		changed, err := watcher.Take(ctx, isSource)
		if err == nil && len(changed) == 0 {
			fmt.Fprintln(cmd.ErrOrStderr(), "waiting for changes; Ctrl-C ends")
			changed, err = watcher.Wait(ctx)
		}
		if ctx.Err() != nil {
			return pytestEnd(ctx, testrun.Interrupted, nil)
		}
		if err != nil {
			return &exit{code: int(testrun.Internal), err: err}
		}
		config.Select = testrun.Selection{}
		what := "all tests"
		if known.haveAll(changed) {
			config.Select = testrun.OnlyFiles(changed...)
			what = "their tests"
			if len(changed) == 1 {
				what = "its tests"
			}
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "\n%s changed: running %s\n", strings.Join(changed, ", "), what)
	}
}

// isSource reports whether a file can be a part of a suite, and not what a test writes.
func isSource(file string) bool {
	switch path.Ext(file) {
	case ".py", ".ini", ".toml", ".cfg":
		return true
	}
	return false
}

// testFiles are the files that tests have come from. It sees the events of runs.
type testFiles map[string]bool

// Event implements testreport.Report.
func (k testFiles) Event(e testrun.Event) {
	switch e := e.(type) {
	case *testrun.Collected:
		for _, t := range e.Tests {
			k[fileOf(t.ID)] = true
		}
	case *testrun.CollectProblem:
		k[fileOf(e.ID)] = true
	}
}

func fileOf(id string) string {
	file, _, _ := strings.Cut(id, "::")
	return file
}

// End implements testreport.Report.
func (k testFiles) End(testreport.End) error { return nil }

// haveAll reports whether all these files have tests, so that a change of them concerns no others.
func (k testFiles) haveAll(files []string) bool {
	return !slices.ContainsFunc(files, func(file string) bool { return !k[file] })
}
