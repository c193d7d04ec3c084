// Pyworker is the Go program that the tests start as a worker with a CPython behind it. It
// registers the functions of package gofuncs and can do nothing else.
package main

import (
	"fmt"
	"os"

	"github.com/go-execnet/execnet/compat_tests/gofuncs"
	_ "github.com/go-execnet/execnet/cpython" // runs the Python source that drivers send
	"github.com/go-execnet/execnet/worker"
)

func main() {
	gofuncs.Register()
	worker.ServeIfWorker()
	fmt.Fprintln(os.Stderr, "pyworker: to be started by a driver")
	os.Exit(2)
}
