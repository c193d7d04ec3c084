//go:build unix

package dialback_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	_ "github.com/go-execnet/execnet/gpython" // runs the Python source of the tests in Go workers
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/worker"
)

// roleVariable makes the test program a driver of the spec that it holds.
const roleVariable = "EXECNET_TEST_ROLE"

// TestMain makes the test program a worker as well, and a driver that a test kills.
func TestMain(m *testing.M) {
	worker.Register("words", worker.Funcs{
		"count": func(text string) int { return len(strings.Fields(text)) },
		"pid":   os.Getpid,
	})
	if spec := os.Getenv(roleVariable); spec != "" {
		drive(spec)
	}
	worker.ServeIfWorker()
	goleak.VerifyTestMain(m)
}

// drive makes the gateways of a spec, says so, and does nothing more.
func drive(spec string) {
	_ = os.Unsetenv(roleVariable) // a worker that it starts is one
	group := multi.NewGroup()
	fmt.Println("begin")
	gateways, err := group.MakeGateways(context.Background(), spec)
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, gw := range gateways {
		info, err := gw.RInfo(context.Background())
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("worker", info.PID)
	}
	fmt.Println("ready")
	time.Sleep(time.Hour)
}
