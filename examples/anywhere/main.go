// Anywhere runs Go functions on hosts where nothing is installed: no Go, no Python, no copy of this
// program. It brings itself, once:
//
//	go run ./examples/anywhere ssh=me@example.org ssh=other.example.org
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"runtime"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/worker"
)

func main() {
	worker.Register("machine", worker.Funcs{"describe": describe})
	worker.ServeIfWorker()
	ctx := context.Background()
	group := execnet.NewGroup()
	for _, spec := range os.Args[1:] {
		gw, err := group.MakeGateway(ctx, spec+"//self")
		if err != nil {
			log.Fatal(err)
		}
		says, err := execnet.RemoteCall[string](ctx, gw, "machine.describe")
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(spec, "has", says)
	}
}

func describe() string {
	return fmt.Sprintf("%d processors of kind %s, and runs %s as process %d", runtime.NumCPU(), runtime.GOARCH, runtime.GOOS, os.Getpid())
}
