package kubernetes_test

import (
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/internal/testsupport/drivers"
	"github.com/go-execnet/execnet/worker"
)

// TestMain makes the test program a worker as well, and a driver that waits to be killed.
func TestMain(m *testing.M) {
	worker.Register("words", worker.Funcs{
		"count": func(text string) int { return len(strings.Fields(text)) },
		"pod":   func() string { return os.Getenv("CONTAINER") },
	})
	drivers.Serve()
	worker.ServeIfWorker()
	goleak.VerifyTestMain(m)
}
