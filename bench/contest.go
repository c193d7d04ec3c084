package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// measurement is what one or more rows of the table come from.
type measurement interface {
	title() string
	run(ctx context.Context, rounds int) ([]row, error)
}

// contest is something that several sides do, and what is to be learnt from comparing them.
type contest struct {
	name   string
	figure func(each time.Duration) string // shows how long one repetition took
	sides  []side
	goals  []goal
	once   bool // a sample is one repetition
	share  int  // of how many rounds this takes part in one; 0 means in all
}

// side does the same n times and tells how long that took.
type side struct {
	name string
	run  func(ctx context.Context, n int) (time.Duration, error)
}

// goal compares two sides, by name.
type goal struct {
	side, against string
	kind          kind
	aim           float64 // 0 for none
}

// kind is what a ratio means.
type kind string

const (
	speed kind = "speed" // how many times as fast: the aim is the least
	span  kind = "time"  // how many times as long: the aim is the most
	room  kind = "size"  // how many times as large: the aim is the most
	trips kind = "trips" // how many round trips more are waited for, a difference: the aim is the most
)

// row is one comparison's outcome, or a count that is compared with nothing but its aim.
type row struct {
	Name         string  `json:"name"`
	Side         string  `json:"side"`
	Figure       string  `json:"figure"`
	Against      string  `json:"against,omitempty"`
	TheirFigure  string  `json:"their_figure,omitempty"`
	Kind         kind    `json:"kind,omitempty"`
	Ratio        float64 `json:"ratio,omitempty"`
	LowQuartile  float64 `json:"low_quartile,omitempty"`
	HighQuartile float64 `json:"high_quartile,omitempty"`
	Aim          float64 `json:"aim,omitempty"`
	Met          bool    `json:"met"`
}

func (c contest) title() string { return c.name }

// sample is how long one measurement should take at least.
const sample = 20 * time.Millisecond

func (c contest) run(ctx context.Context, rounds int) ([]row, error) {
	if c.share > 0 {
		rounds = max(3, rounds/c.share)
	}
	repetitions := make([]int, len(c.sides))
	for i, s := range c.sides {
		n, err := c.calibrate(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		repetitions[i] = n
	}
	times := make(map[string][]float64) // seconds for one repetition, by side and round
	for round := range rounds {
		for k := range c.sides {
			i := (k + round) % len(c.sides)
			s, n := c.sides[i], repetitions[i]
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			runtime.GC() // nobody pays for the garbage of the side before
			took, err := s.run(ctx, n)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			times[s.name] = append(times[s.name], took.Seconds()/float64(n))
		}
	}
	rows := make([]row, len(c.goals))
	for i, g := range c.goals {
		rows[i] = c.compare(g, times[g.side], times[g.against])
	}
	return rows, nil
}

// calibrate warms a side up and finds how many repetitions make a sample.
func (c contest) calibrate(ctx context.Context, s side) (int, error) {
	for n := 1; ; n *= 2 {
		took, err := s.run(ctx, n)
		if err != nil || c.once || took >= sample {
			return n, err
		}
	}
}

func (c contest) compare(g goal, ours, theirs []float64) row {
	return g.compare(c.name, ours, theirs, func(seconds float64) string {
		return c.figure(time.Duration(seconds * float64(time.Second)))
	})
}

// compare makes the row of what two sides took in each round; show is for their medians.
func (g goal) compare(name string, ours, theirs []float64, show func(float64) string) row {
	ratios := make([]float64, len(ours))
	for i := range ratios {
		switch g.kind {
		case speed:
			ratios[i] = theirs[i] / ours[i]
		case trips:
			ratios[i] = ours[i] - theirs[i]
		default:
			ratios[i] = ours[i] / theirs[i]
		}
	}
	r := row{
		Name: name, Side: g.side, Against: g.against, Kind: g.kind, Aim: g.aim,
		Figure: show(quantile(ours, 0.5)), TheirFigure: show(quantile(theirs, 0.5)),
		Ratio: quantile(ratios, 0.5), LowQuartile: quantile(ratios, 0.25), HighQuartile: quantile(ratios, 0.75),
	}
	r.Met = g.aim > 0 && (r.Ratio >= g.aim) == (g.kind == speed)
	return r
}

// quantile is the value below which the fraction q of the values lies.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

// duration shows a time in the unit that suits it.
func duration(each time.Duration) string {
	switch {
	case each < time.Millisecond:
		return fmt.Sprintf("%.3g µs", each.Seconds()*1e6)
	case each < time.Second:
		return fmt.Sprintf("%.3g ms", each.Seconds()*1e3)
	}
	return fmt.Sprintf("%.3g s", each.Seconds())
}

// rate shows how many of a thing a second makes.
func rate(each time.Duration) string {
	return fmt.Sprintf("%.0fk/s", 1e-3/each.Seconds())
}

// throughput shows how many bytes a second makes when each repetition moves size of them.
func throughput(size int) func(time.Duration) string {
	return func(each time.Duration) string { return fmt.Sprintf("%.0f MB/s", float64(size)/1e6/each.Seconds()) }
}

// count is a number that is the same in every round.
type count struct {
	name  string
	of    func() (float64, error)
	below float64 // the aim
}

func (c count) title() string { return c.name }

func (c count) run(context.Context, int) ([]row, error) {
	n, err := c.of()
	return []row{{Name: c.name, Side: "ours", Figure: fmt.Sprintf("%.3g", n), Aim: c.below, Met: n < c.below}}, err
}
