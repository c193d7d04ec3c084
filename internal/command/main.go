// Package command is the program execnet: the command line, for the programs that differ in what
// they have inside.
package command

import (
	"errors"
	"fmt"
	"io"
	"os"

	_ "github.com/go-execnet/execnet/cpython" // these run Python source in "execnet worker"
	_ "github.com/go-execnet/execnet/gpython"
	"github.com/go-execnet/execnet/internal/farend"
	"github.com/go-execnet/execnet/internal/pidone"
	"github.com/go-execnet/execnet/worker"
)

// The exit codes, beside 128 and the number of a signal.
const (
	exitFailure = 1   // the remote code or a gateway failed
	exitUsage   = 2   // the command line cannot be understood
	exitTimeout = 124 // as timeout(1) has it
	// nobody reads stdout any more: what a shell sees of a program that SIGPIPE ended
	exitPipe = 141
)

// exit is an error that ends the program with a code; err, unless it is nil, is printed.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return fmt.Sprintf("exit code %d: %v", e.code, e.err) }

func failure(err error) error { return &exit{code: exitFailure, err: err} }

// Main runs the command that the arguments name, and ends the process. As process 1 of a container
// it also reaps orphans.
func Main() {
	pidone.Main()
	worker.ServeIfWorker()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := NewRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteC()
	var end *exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &end):
		if end.err != nil {
			say(stderr, end.code == exitTimeout, fmt.Sprintf("%s: %s\n", cmd.CommandPath(), plainError(end.err)))
		}
		return end.code
	}
	fmt.Fprintf(stderr, "%s: %s\nTry: %[1]s --help\n", cmd.CommandPath(), plainError(err))
	return exitUsage
}

// say prints text. In a hurry it does not wait long for somebody to read it.
func say(to io.Writer, hurry bool, text string) {
	outlet := farend.NewOutlet(to)
	outlet.Offer([]byte(text))
	if hurry {
		outlet.FlushSoon()
	}
	_ = outlet.Flush()
}
