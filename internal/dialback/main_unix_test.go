//go:build unix

package dialback_test

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	_ "github.com/go-execnet/execnet/gpython" // runs the Python source of the tests in Go workers
	"github.com/go-execnet/execnet/internal/testsupport/drivers"
	"github.com/go-execnet/execnet/worker"
)

// TestMain makes the test program a worker as well, and a driver that a test kills.
func TestMain(m *testing.M) {
	worker.Register("words", worker.Funcs{
		"count": func(text string) int { return len(strings.Fields(text)) },
		"pid":   os.Getpid,
	})
	drivers.Serve()
	worker.ServeIfWorker()
	goleak.VerifyTestMain(m)
}
