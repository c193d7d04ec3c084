// Package cpython lets a Go worker run Python source in a CPython beside itself. A program adds it
// by importing it for its side effect:
//
//	import _ "github.com/go-execnet/execnet/cpython"
//
// The worker starts the interpreter at the first program that needs one: $EXECNET_PYTHON, else
// python3 or python from PATH. It runs this module's Python worker, so programs find there
// all that a Python worker gives, and they share one interpreter. Messages of their channels pass
// through the Go process undecoded. The functions that the program has registered can be imported
// there, too.
package cpython

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/bootstrap"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/process"
	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/worker/engine"
	"github.com/go-execnet/execnet/xspec"
)

func init() { engine.RegisterProcess(beside{}) }

// beside is the engine.
type beside struct{}

// Available returns a *cmdline.PythonNotFoundError or *cmdline.StartError if there is no
// interpreter to start.
func (beside) Available(python string) error {
	return cmdline.Available(python)
}

// Start implements engine.Process.
func (beside) Start(g *gatewaybase.Gateway, s engine.Setup) (*gatewaybase.Relay, error) {
	c, err := newCalls(g, s.Functions)
	if err != nil {
		return nil, err
	}
	spec := &xspec.Spec{Popen: true, ID: strings.TrimSuffix(s.ID, "-worker"), ExecModel: s.ExecModel, Python: s.Python,
		// Drivers start the worker with -B if the spec has dont_write_bytecode.
		DontWriteBytecode: slices.Contains(os.Args, "-B")}
	inherited, takeStdout := c.theirs.files(), ""
	if stdout := engine.Stdout(); stdout != nil {
		takeStdout = takeDescriptor(3+len(inherited), stdout, 1)
		inherited = append(inherited, stdout)
	}
	open := func(ctx context.Context) (gatewaybase.IO, error) {
		defer c.theirs.close()
		argv, source, err := cmdline.Python(spec)
		if err != nil {
			return nil, err
		}
		p, err := process.Start(argv, nil, os.Stderr, inherited...)
		var failed *cmdline.StartError
		if errors.As(err, &failed) {
			failed.Source = source
		}
		if err != nil {
			return nil, err
		}
		return p, nil
	}
	relay, err := gatewaybase.NewRelay(g, func(firstID int) gatewaybase.IO {
		return bootstrap.OpenBehind(open, gatewaybase.Config{Spec: spec, Output: s.Output}, bootstrap.Behind{
			FirstID: firstID, DescribeErrors: s.DescribeErrors, Called: called(spec),
			Prepare: c.prepare(firstID+1) + takeStdout + argv() + addSite(s.Site)})
	}, c.byGateway)
	if err != nil {
		c.discard()
		return nil, err
	}
	c.serve(relay)
	return relay, nil
}

// called says in the error of an interpreter that does not start which one it is, and what to do.
func called(spec *xspec.Spec) string {
	source := "python3 or python from PATH; EXECNET_PYTHON names another one"
	switch {
	case spec.Python != "":
		source = spec.Python
	case os.Getenv("EXECNET_PYTHON") != "":
		source = os.Getenv("EXECNET_PYTHON") + ", from EXECNET_PYTHON"
	case cmdline.Source("") == cmdline.Inside:
		source = "the one inside this program; EXECNET_PYTHON names another one"
	}
	return "the CPython behind this Go worker (" + source + ")"
}

// argv sets sys.argv in the interpreter, if a driver has set it for this worker.
func argv() string {
	args := engine.Arguments()
	if slices.Equal(args, []string{""}) {
		return ""
	}
	literals := make([]string, len(args))
	for i, arg := range args {
		literals[i] = pystring.ASCII(arg)
	}
	return "\nsys.argv = [arg if type(arg) is str else arg.encode(\"utf-8\") for arg in [" + strings.Join(literals, ", ") + "]]\n"
}

// addSite has the interpreter find what is installed in folders. It is not done by PYTHONPATH,
// which every Python that a program starts there would have, of whatever version.
func addSite(folders []string) string {
	var b strings.Builder
	for _, folder := range folders {
		fmt.Fprintf(&b, "\n__import__('site').addsitedir((lambda path: path if type(path) is str else path.encode('utf-8'))(%s))", pystring.ASCII(folder))
	}
	return b.String() + "\n"
}
