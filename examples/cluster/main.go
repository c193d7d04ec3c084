// Cluster runs a job array: a hundred jobs in all the workers that its arguments bring, as in
//
//	go run ./examples/cluster '4*popen' ssh=host 'slurm=16//time=10:00'
package main

import (
	"context"
	"embed"
	"fmt"
	"log"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/go-execnet/execnet/pool"
)

//go:embed all:dice
var python embed.FS

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p, err := pool.New(ctx, pool.Options{Specs: append([]string(nil), os.Args[1:]...), ImportFS: python, Retries: 2})
	if err != nil {
		log.Fatal(err)
	}
	seeds := make([]int, 100)
	for i := range seeds {
		seeds[i] = i
	}
	hits := 0
	for result, err := range pool.Map[int](ctx, p, "dice.hits", slices.Values(seeds), pool.Unordered()) {
		if err != nil {
			log.Fatal(err)
		}
		hits += result.Value
	}
	stats := p.Stats()
	fmt.Printf("%d jobs in %d workers: pi is about %.3f\n", stats.Done, len(stats.Workers), float64(hits)/250_000)
	if err := p.Close(ctx); err != nil {
		log.Fatal(err)
	}
}
