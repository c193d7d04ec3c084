// Execnet runs Python source in any number of interpreters from the command line. "execnet help" is
// its documentation.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	_ "github.com/go-execnet/execnet/gpython" // runs Python source in "execnet worker"
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

func main() {
	worker.ServeIfWorker()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
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
			fmt.Fprintf(stderr, "%s: %s\n", cmd.CommandPath(), plainError(end.err))
		}
		return end.code
	}
	fmt.Fprintf(stderr, "%s: %s\nTry: %[1]s --help\n", cmd.CommandPath(), plainError(err))
	return exitUsage
}
