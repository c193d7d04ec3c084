package worker

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	_ "github.com/go-execnet/execnet/gpython" // runs the Python source of the tests
)

// TestMain makes the test program a worker as well, with these functions.
func TestMain(m *testing.M) {
	Register("textstats", Funcs{
		"count": func(text string) int { return len(strings.Fields(text)) },
		"echo": func(ctx context.Context, ch *gatewaybase.Channel) error {
			for item, err := range ch.Items(ctx) {
				if err == nil {
					err = ch.Send(ctx, item)
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
		"print":  func(text string) { fmt.Println(text) },
		"getenv": os.Getenv,
		"getwd":  os.Getwd,
		"getpid": os.Getpid,
		"sleep":  func(ctx context.Context) { <-ctx.Done() },
		"hang":   func() { time.Sleep(time.Hour) },
	})
	ServeIfWorker()
	goleak.VerifyTestMain(m)
}
