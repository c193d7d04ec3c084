package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"text/tabwriter"
	"time"
)

// fault is one way in which things break.
type fault struct {
	name string
	// fits says whether it can happen on a road; nil means on each.
	fits func(road) bool
	// try breaks a gateway on the road once. It returns how long the slowest call took to find out,
	// and what was wrong.
	try func(ctx context.Context, s *soak, r *rand.Rand, way road) (latency time.Duration, err error)
}

var faults = []fault{
	{name: "kill-worker", fits: road.hasWorker, try: killWorker},
	{name: "kill-forwarder", fits: road.isVia, try: killForwarder},
	{name: "kill-sshd", fits: road.isSSH, try: killSession},
	{name: "kill-driver", fits: road.canBeDriven, try: killDriver},
	{name: "kill-pip-driver", fits: road.isGoPopen, try: killPipDriver},
	{name: "cut", fits: road.canBeCut, try: cut},
	{name: "terminate", try: terminate},
	{name: "cancel", try: cancel},
	{name: "mutate", fits: road.readsStreams, try: mutate},
	{name: "sync", fits: road.syncs, try: syncTrees},
}

// row is the line of the table for a fault.
type row struct {
	fault    string
	runs     int
	failures int
	worst    time.Duration
	leaks    []string
}

// campaign tries a fault on roads drawn at random until its time is over.
func (s *soak) campaign(ctx context.Context, f fault, share time.Duration) row {
	result := row{fault: f.name}
	var roads []road
	for _, way := range s.roads {
		if f.fits == nil || f.fits(way) {
			roads = append(roads, way)
		}
	}
	if len(roads) == 0 {
		fmt.Fprintf(s.log, "soak: no road for %q\n", f.name)
		return result
	}
	before := s.count()
	end := time.Now().Add(share)
	for ctx.Err() == nil && (result.runs == 0 || time.Now().Before(end)) {
		if result.runs%len(roads) == 0 {
			s.random.Shuffle(len(roads), func(i, j int) { roads[i], roads[j] = roads[j], roads[i] })
		}
		way := roads[result.runs%len(roads)]
		seed := s.random.Uint64()
		latency, err := f.try(ctx, s, rand.New(rand.NewPCG(seed, 1)), way)
		if ctx.Err() != nil {
			break // what was under way was cut short
		}
		result.runs++
		result.worst = max(result.worst, latency)
		if err != nil {
			result.failures++
			fmt.Fprintf(s.log, "soak: %s over %s (run %d): %v\n", f.name, way.name, result.runs, err)
		}
	}
	if ctx.Err() == nil {
		result.leaks = s.leaks(before)
		for _, leak := range result.leaks {
			fmt.Fprintf(s.log, "soak: after %s there are left: %s\n", f.name, leak)
		}
	}
	return result
}

// printTable prints the rows, and returns the program's exit status.
func printTable(out io.Writer, rows []row) (status int) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "fault\truns\tfailures\tworst latency\tleaks")
	for _, r := range rows {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\n", r.fault, r.runs, r.failures, r.worst.Round(time.Millisecond), len(r.leaks))
		if r.failures > 0 || len(r.leaks) > 0 {
			status = 1
		}
	}
	// Nobody is left to tell if this fails.
	_ = w.Flush()
	return status
}
