// Pool factors numbers in two Python workers. The Python code is built into this program. One job
// crashes its worker and one hangs; the others do not notice.
package main

import (
	"context"
	"embed"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/go-execnet/execnet/pool"
)

//go:embed all:tasks
var python embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	p, err := pool.New(ctx, pool.Options{Specs: []string{"2*popen"}, ImportFS: python, Timeout: time.Second})
	if err != nil {
		log.Fatal(err)
	}
	numbers := []int{360, 0, 1000003, -1, 600851475143}
	for result, err := range pool.Map[[]int](ctx, p, "tasks.factors", slices.Values(numbers)) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(numbers[result.Index], "=", result.Value)
	}
	if err := p.Close(ctx); err != nil {
		log.Fatal(err)
	}
}
