// Package compat_tests holds the tests that run against several CPythons and several releases of
// Python's execnet.
//
// EXECNET_TEST_PYTHONS lists the interpreters, EXECNET_TEST_RELEASE names the release of execnet to
// compare with, and EXECNET_TEST_EXECNET_DIR is a folder that holds it and nothing else, as pip
// install --target makes one.
package compat_tests

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	_ "github.com/go-execnet/execnet/gpython" // runs the Python source that drivers send
	goworker "github.com/go-execnet/execnet/worker"
)

func TestMain(m *testing.M) {
	goworker.ServeIfWorker()
	if spec := os.Getenv(driverVariable); spec != "" {
		beDriver(spec)
	}
	goleak.VerifyTestMain(m)
}
