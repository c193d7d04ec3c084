package worker

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	_ "github.com/go-execnet/execnet/gpython" // runs the Python source of the tests
)

// overflow calls itself n times: more often than any stack has room for.
func overflow(n int) int {
	if n == 0 {
		return 0
	}
	return overflow(n-1) + 1
}

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
		"print": func(text string) { fmt.Println(text) },
		"flood": func(lines int) {
			for i := range lines {
				fmt.Println(i)
			}
		},
		"log": func() {
			slog.Info("by slog", "number", 5, slog.Group("group", "word", "w", "wait", time.Second))
			slog.With("a", true).WithGroup("g").Error("deeper", "b", 1.5)
			slog.Debug("too low")
			log.Print("by log")
		},
		"panic": func() {
			fmt.Println("last words")
			go panic("at the disco")
			select {}
		},
		"getenv": os.Getenv,
		"getwd":  os.Getwd,
		"getpid": os.Getpid,
		"sleep":  func(ctx context.Context) { <-ctx.Done() },
		"hang":   func() { time.Sleep(time.Hour) },
		"goexit": runtime.Goexit,
		"overflow": func() int {
			debug.SetMaxStack(1 << 20)
			return overflow(1 << 30)
		},
		"goroutine": func() string {
			stack := make([]byte, 64)
			name, _, _ := strings.Cut(string(stack[:runtime.Stack(stack, false)]), " [")
			return name
		},
	})
	ServeIfWorker()
	goleak.VerifyTestMain(m)
}
