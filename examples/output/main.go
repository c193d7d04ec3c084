// Output shows what two Python interpreters print and log: the lines with the id of their gateway,
// and the records of Python's logging by log/slog.
package main

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"os"

	"github.com/go-execnet/execnet"
)

const source = `
import logging, subprocess, sys
print("hello from Python", sys.version_info[0])
subprocess.check_call(["echo", "hello from a child"])
logging.getLogger("analysis").warning("%d rows are empty", 3, extra={"table": "prices"})
`

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	group := &execnet.Group{
		Output:      func(line execnet.Line) { fmt.Printf("[%s %s] %s\n", line.Gateway, line.Stream, line.Text) },
		SlogHandler: slog.NewTextHandler(os.Stdout, nil),
	}
	if _, err := group.MakeGateways(ctx, "popen", "popen"); err != nil {
		return err
	}
	channels, err := group.RemoteExec(ctx, source)
	if err != nil {
		return err
	}
	if err := channels.WaitClose(ctx); err != nil {
		return err
	}
	return group.Terminate(ctx) // everything that was printed has been shown when it returns
}
