package kubernetes_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/worker"
)

// driverVariable is the spec with which this program is a driver.
const driverVariable = "EXECNET_TEST_DRIVER"

// TestMain makes the test program a worker as well, and a driver that waits to be killed.
func TestMain(m *testing.M) {
	worker.Register("words", worker.Funcs{
		"count": func(text string) int { return len(strings.Fields(text)) },
		"pod":   func() string { return os.Getenv("CONTAINER") },
	})
	spec := os.Getenv(driverVariable)
	if spec == "" {
		worker.ServeIfWorker()
		goleak.VerifyTestMain(m)
		return
	}
	_ = os.Unsetenv(driverVariable) // a worker that it starts is one
	_, err := multi.NewGroup().MakeGateway(context.Background(), spec)
	fmt.Println("driver:", err)
	for {
		time.Sleep(time.Hour)
	}
}
