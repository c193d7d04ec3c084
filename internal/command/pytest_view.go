package command

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/go-execnet/execnet/internal/command/internal/pytestargs"
	"github.com/go-execnet/execnet/internal/testreport"
	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/xspec"
)

// runView hands what happens in a run to all that show it.
type runView struct {
	reports []testreport.Report
	junit   *testreport.JUnit
	mapping pathMapping
	err     error // of the reports' ends
}

// view chooses what shows a run. cancel is called when stdout cannot be written.
func (f *pytestFlags) view(cmd *cobra.Command, config *testrun.Config, cancel context.CancelCauseFunc) *runView {
	each := config.Dist == testrun.Each
	out := &stdoutOf{w: cmd.OutOrStdout(), failed: cancel}
	v := &runView{}
	if f.json {
		v.reports = append(v.reports, testreport.NewGoJSON(out, cmd.ErrOrStderr(), each))
	} else {
		options := terminalOptions(cmd.OutOrStdout(), config.Args)
		options.Workers, options.Each = len(config.Specs), each
		config.Color, config.Width = options.Color, options.Width
		v.reports = append(v.reports, testreport.NewTerminal(out, options))
	}
	// A run in several interpreters is not what pytest's cache is about, nor are hosts whose files
	// are not here.
	here := !slices.ContainsFunc(config.Specs, func(s *xspec.Spec) bool { return !s.Local() })
	if !each && (here || len(f.rsync) > 0) {
		v.reports = append(v.reports, testreport.NewCache())
	}
	v.junit = testreport.NewJUnit(config.Color, each)
	v.reports = append(v.reports, v.junit)
	return v
}

func (v *runView) event(e testrun.Event) {
	e = v.mapping.event(e)
	for _, report := range v.reports {
		report.Event(e)
	}
}

func (v *runView) end(code testrun.ExitCode, err error, ctx context.Context) {
	end := testreport.End{Code: code, Interrupted: ctx.Err() != nil, Err: err, XML: v.junit.Path()}
	for _, report := range slices.Backward(v.reports) { // files are written before they are told of
		if err := report.End(end); err != nil {
			v.err = errors.Join(v.err, err)
		}
	}
}

// stdoutOf ends the run when stdout cannot be written.
type stdoutOf struct {
	w      io.Writer
	failed context.CancelCauseFunc
}

func (s *stdoutOf) Write(text []byte) (int, error) {
	n, err := s.w.Write(text)
	if err != nil {
		s.failed(err)
	}
	return n, err
}

// terminalOptions finds out what stdout is, and what the user wants there.
func terminalOptions(out io.Writer, args []string) testreport.TerminalOptions {
	o := testreport.TerminalOptions{Width: 80, CI: os.Getenv("CI") != "" || os.Getenv("BUILD_NUMBER") != ""}
	file, isFile := out.(*os.File)
	terminal := isFile && term.IsTerminal(int(file.Fd())) && os.Getenv("TERM") != "dumb" && showsEscapes(file)
	if terminal {
		o.Size = func() (columns, rows int) {
			columns, rows, err := term.GetSize(int(file.Fd()))
			if err != nil || columns < 1 {
				return 80, 24
			}
			return columns, rows
		}
		o.Width, _ = o.Size()
	}
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		o.Width = columns
	}
	if o.Width < 40 { // pytest does not believe that, either
		o.Width = 80
	}
	o.Color = wantsColor(args, terminal)
	return o
}

// wantsColor goes by --color, and by the variables that pytest goes by.
func wantsColor(args []string, terminal bool) bool {
	option, _ := pytestargs.Value(args, "--color")
	switch {
	case option == "yes" || option == "no":
		return option == "yes"
	case os.Getenv("PY_COLORS") == "1" || os.Getenv("PY_COLORS") == "0":
		return os.Getenv("PY_COLORS") == "1"
	case os.Getenv("NO_COLOR") != "":
		return false
	case os.Getenv("FORCE_COLOR") != "":
		return true
	}
	return terminal
}
