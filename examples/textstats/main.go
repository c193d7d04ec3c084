// Textstats is a Go program that drivers start as a worker; its Go function counts words. When you
// run it yourself, it starts two copies of itself as workers, which count at the same time.
// drive.py does the same from Python.
package main

import (
	"context"
	"fmt"
	"log"
	"strings"
	"unicode"

	"github.com/go-execnet/execnet"
	_ "github.com/go-execnet/execnet/cpython"
	_ "github.com/go-execnet/execnet/gpython" // runs the Python source that drivers send
	"github.com/go-execnet/execnet/worker"
)

// Count counts the words of a text.
func Count(doc string) map[string]int {
	counts := map[string]int{}
	for word := range strings.FieldsFuncSeq(strings.ToLower(doc), func(r rune) bool { return !unicode.IsLetter(r) }) {
		counts[word]++
	}
	return counts
}

func main() {
	worker.Register("textstats", worker.Funcs{"count": Count})
	worker.ServeIfWorker()
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	defer execnet.Terminate(context.Background())
	gateways, err := execnet.DefaultGroup.MakeGateways(ctx, "popen//self", "popen//self")
	if err != nil {
		return err
	}
	for i, text := range []string{"The dog sleeps; the fox does not.", "The cat waits."} {
		counts, err := execnet.RemoteCall[map[string]int](ctx, gateways[i], "textstats.count", text)
		if err != nil {
			return err
		}
		fmt.Printf("%s: the %d, of %d different words\n", gateways[i].ID(), counts["the"], len(counts))
	}
	return nil
}
