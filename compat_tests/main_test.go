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
	"time"

	"go.uber.org/goleak"

	"github.com/go-execnet/execnet"
	_ "github.com/go-execnet/execnet/cpython" // runs it in a CPython, where a test asks for that
	_ "github.com/go-execnet/execnet/gpython" // runs the Python source that drivers send
	goworker "github.com/go-execnet/execnet/worker"
)

// engineVariable says which engine Go workers run Python source in.
const engineVariable = "EXECNET_ENGINE"

func TestMain(m *testing.M) {
	goworker.Register("behind", goworker.Funcs{
		"pid":   os.Getpid,
		"sleep": func() { time.Sleep(time.Hour) },
		"setup": func() ([]any, error) {
			folder, err := os.Getwd()
			return []any{folder, os.Getenv("BEHIND")}, err
		},
	})
	goworker.Register("arrays", goworker.Funcs{"row_sums": rowSums, "doubled": doubled, "size": func(b []byte) int { return len(b) }})
	if os.Getenv(engineVariable) == "" {
		os.Setenv(engineVariable, "gpython")
	}
	goworker.ServeIfWorker()
	if spec := os.Getenv(driverVariable); spec != "" {
		beDriver(spec)
	}
	goleak.VerifyTestMain(m)
}

func rowSums(rows [][]float64) []float64 {
	sums := make([]float64, len(rows))
	for i, row := range rows {
		for _, x := range row {
			sums[i] += x
		}
	}
	return sums
}

// doubled has an array as its last parameter, which takes no keyword arguments.
func doubled(a execnet.NDArray) (execnet.NDArray, error) {
	view, err := execnet.ArrayView[float64](a)
	for i := range view {
		view[i] *= 2
	}
	return a, err
}
