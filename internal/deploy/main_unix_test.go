//go:build unix

package deploy_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/internal/testsupport/drivers"
	"github.com/go-execnet/execnet/worker"
)

// roleVariable says what else this program can be when a test starts it.
const roleVariable = "EXECNET_TEST_ROLE"

// TestMain makes the test program a worker as well.
func TestMain(m *testing.M) {
	worker.Register("words", worker.Funcs{
		"count":   func(text string) int { return len(strings.Fields(text)) },
		"program": os.Executable,
		"pid":     os.Getpid,
		"stuck": func() {
			for {
				runtime.Gosched()
			}
		},
	})
	drivers.Serve()
	switch role := os.Getenv(roleVariable); role {
	case "stranger":
		fmt.Fprintf(os.Stderr, "usage: stranger FILE\n")
		os.Exit(2)
	case "":
		worker.ServeIfWorker()
		goleak.VerifyTestMain(m)
	default:
		drive(role)
	}
}
