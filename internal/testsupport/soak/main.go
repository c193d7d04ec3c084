// Soak breaks gateways in every way that the field knows, for some minutes, and says what did not
// hold. `make soak` runs it; MINUTES=20 says for how long.
//
// Each fault is tried again and again on roads drawn at random: the ways to reach a worker, with
// every kind of worker. A table tells for each fault how often it was tried, how often something
// was wrong, how long the slowest call took to find out, and what was left behind. The exit status
// is 1 if anything was wrong. An interruption ends it at once, with the table so far.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-execnet/execnet"
	_ "github.com/go-execnet/execnet/gpython" // this program is the Go worker, too
	"github.com/go-execnet/execnet/worker"
)

func main() {
	if playsRole() {
		return
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// playsRole is what this program does when the soak has started it as something else: a worker, a
// driver that is to be killed, or the reader of a broken stream.
func playsRole() bool {
	worker.Register("soak", worker.Funcs{
		"echo": func(v any) any { return v },
		"pid":  os.Getpid,
		"wait": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
	})
	worker.ServeIfWorker()
	switch os.Getenv(roleVariable) {
	case "driver":
		beDriver(strings.Split(os.Getenv(specsVariable), "\n"))
	case "reader":
		beReader()
	default:
		return false
	}
	return true
}

// The environment variables by which the soak says what a child of its own is.
const (
	roleVariable  = "EXECNET_SOAK_ROLE"
	specsVariable = "EXECNET_SOAK_SPECS"
)

// run is the program: the arguments, the table's writer and that of everything else.
func run(args []string, out, log io.Writer) (status int) {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(log)
	minutes := flags.Float64("minutes", 5, "how long it runs")
	seed := flags.Uint64("seed", 0, "what is drawn at random follows from it; 0 takes a new one")
	only := flags.String("only", "", "the faults to try, divided by commas; all if empty")
	road := flags.String("road", "", "a part of the names of the roads to take; all if empty")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	faults := chosen(*only)
	if len(faults) == 0 {
		fmt.Fprintf(log, "soak: no fault is named %s\n", *only)
		return 2
	}
	for *seed == 0 {
		*seed = rand.Uint64()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &soak{random: rand.New(rand.NewPCG(*seed, 0)), log: log}
	defer s.close()
	if err := s.setUp(ctx, *road); err != nil {
		fmt.Fprintln(log, "soak:", err)
		return 2
	}
	fmt.Fprintf(out, "seed %d, %d roads\n", *seed, len(s.roads))
	each := time.Duration(*minutes * float64(time.Minute) / float64(len(faults)))
	var rows []row
	for _, f := range faults {
		if ctx.Err() != nil {
			break
		}
		rows = append(rows, s.campaign(ctx, f, each))
	}
	return printTable(out, rows)
}

// chosen are the faults whose names are given, divided by commas.
func chosen(names string) (some []fault) {
	for _, f := range faults {
		if names == "" || strings.Contains(","+names+",", ","+f.name+",") {
			some = append(some, f)
		}
	}
	return some
}

// limit is how long a call may take to find out that its far end is gone, and a process to end:
// what the README and docs/protocol.md promise.
const limit = 20 * time.Second

// within is a context for what must not take longer than limit.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, limit)
}

// newGroup is a group whose workers' stderr goes nowhere: workers that are killed have much to say.
func newGroup() *execnet.Group {
	g := execnet.NewGroup()
	g.Stderr = io.Discard
	return g
}
