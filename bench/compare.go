package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// measurement gives one or more rows of the table.
type measurement interface {
	title() string
	run(ctx context.Context, rounds int, p *progress) ([]row, error)
}

// comparison measures several sides that do the same.
type comparison struct {
	name   string
	figure figure
	sides  []side
	goals  []goal
	once   bool // a sample is one repetition
	share  int  // it gets one round for so many rounds of the others; 0 means as many as the others
}

// side does the same n times and returns how long that took.
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

// kind is the meaning of a ratio.
type kind string

const (
	speed    kind = "speed" // how many times as fast: the aim is the least
	longer   kind = "time"  // how many times as long: the aim is the most
	larger   kind = "size"  // how many times as large: the aim is the most
	addTrips kind = "trips" // how many network round trips more, a difference: the aim is the most
)

// row is the result of one goal, or a number that is compared with nothing but its aim.
type row struct {
	Name         string  `json:"name"`
	Side         string  `json:"side"`
	Figure       string  `json:"figure"`          // the median, as text
	Value        float64 `json:"value,omitempty"` // seconds, bytes, round trips, or things a second
	Against      string  `json:"against,omitempty"`
	TheirFigure  string  `json:"their_figure,omitempty"`
	TheirValue   float64 `json:"their_value,omitempty"`
	Kind         kind    `json:"kind,omitempty"`
	Ratio        float64 `json:"ratio,omitempty"`
	LowQuartile  float64 `json:"low_quartile,omitempty"`
	HighQuartile float64 `json:"high_quartile,omitempty"`
	Aim          float64 `json:"aim,omitempty"`
	Met          bool    `json:"met"`
}

// figure says how a median is shown. What is measured is seconds or bytes.
type figure struct {
	value func(measured float64) float64
	text  func(value float64) string
	least int // how many repetitions a sample has at the least; 0 means any number
}

func (c comparison) title() string { return c.name }

// sampleTime is how long one measurement should take at least.
const sampleTime = 20 * time.Millisecond

func (c comparison) run(ctx context.Context, rounds int, p *progress) ([]row, error) {
	if c.share > 0 {
		rounds = fewer(rounds, c.share)
	}
	repetitions := make([]int, len(c.sides))
	names := make([]string, len(c.sides))
	for i, s := range c.sides {
		p.step("calibrating " + s.name)
		n, err := c.calibrate(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		repetitions[i], names[i] = n, s.name
	}
	seconds := map[string][]float64{} // for one repetition, by side and round
	err := inTurns(ctx, p, rounds, names, func(_, i int) error {
		runtime.GC() // no side collects the garbage of the side before
		took, err := c.sides[i].run(ctx, repetitions[i])
		seconds[names[i]] = append(seconds[names[i]], took.Seconds()/float64(repetitions[i]))
		return err
	})
	if err != nil {
		return nil, err
	}
	rows := make([]row, len(c.goals))
	for i, g := range c.goals {
		rows[i] = g.compare(c.name, seconds, c.figure)
	}
	return rows, nil
}

// calibrate warms a side up and finds how many repetitions make a sample.
func (c comparison) calibrate(ctx context.Context, s side) (int, error) {
	if !c.once {
		// What a side starts at its first run is not what is measured.
		if _, err := s.run(ctx, 1); err != nil {
			return 0, err
		}
	}
	// One sample may take long because the machine does something else.
	for n, long := max(1, c.figure.least), 0; ; {
		took, err := s.run(ctx, n)
		switch {
		case err != nil || c.once:
			return n, err
		case took < sampleTime:
			n, long = 2*n, 0
		case long == 2:
			return n, nil
		default:
			long++
		}
	}
}

// fewer is the number of rounds for what gets one round where the others get share rounds.
func fewer(rounds, share int) int { return max(3, rounds/share) }

// inTurns calls measure for each side in each round. Each round begins with another side.
func inTurns(ctx context.Context, p *progress, rounds int, sides []string, measure func(round, side int) error) error {
	for round := range rounds {
		for k := range sides {
			i := (k + round) % len(sides)
			if err := ctx.Err(); err != nil {
				return err
			}
			p.round(round+1, rounds, sides[i])
			if err := measure(round, i); err != nil {
				return fmt.Errorf("%s: %w", sides[i], err)
			}
		}
	}
	return nil
}

// compare makes the row for what two sides took in each round.
func (g goal) compare(name string, measured map[string][]float64, f figure) row {
	ours, theirs := measured[g.side], measured[g.against]
	ratios := make([]float64, len(ours))
	for i := range ratios {
		switch g.kind {
		case speed:
			ratios[i] = theirs[i] / ours[i]
		case addTrips:
			ratios[i] = ours[i] - theirs[i]
		default:
			ratios[i] = ours[i] / theirs[i]
		}
	}
	r := row{
		Name: name, Side: g.side, Against: g.against, Kind: g.kind, Aim: g.aim,
		Value: f.value(median(ours)), TheirValue: f.value(median(theirs)),
		Ratio: median(ratios), LowQuartile: quantile(ratios, 0.25), HighQuartile: quantile(ratios, 0.75),
	}
	r.Figure, r.TheirFigure = f.text(r.Value), f.text(r.TheirValue)
	r.Met = g.aim > 0 && (r.Ratio >= g.aim) == (g.kind == speed)
	return r
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the value below which the fraction q of the values lies.
func quantile(values []float64, q float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

// The ways to show a figure.
var (
	asTime = figure{value: func(seconds float64) float64 { return seconds }, text: duration}
	asRate = figure{ // things a second
		value: func(seconds float64) float64 { return 1 / seconds },
		text:  func(rate float64) string { return fmt.Sprintf("%.0fk/s", rate/1e3) },
	}
	asMemory = figure{
		value: func(bytes float64) float64 { return bytes },
		text:  func(bytes float64) string { return fmt.Sprintf("%.0f KiB each", bytes/1024) },
	}
)

// streamSize is how many bytes a sample moves at the least. After a collection the first items of a
// channel's window, 16 MiB, take new memory, whether or not the receiver gives items back. That is
// no more than a sixteenth of what is measured.
const streamSize = 256 << 20

// asThroughput shows bytes a second where each repetition moves size bytes.
func asThroughput(size int) figure {
	return figure{
		value: func(seconds float64) float64 { return float64(size) / seconds },
		text:  func(rate float64) string { return fmt.Sprintf("%.0f MB/s", rate/1e6) },
		least: streamSize / size,
	}
}

// duration shows seconds in a suitable unit.
func duration(seconds float64) string {
	switch {
	case seconds < 1e-3:
		return fmt.Sprintf("%.3g µs", seconds*1e6)
	case seconds < 1:
		return fmt.Sprintf("%.3g ms", seconds*1e3)
	}
	return fmt.Sprintf("%.3g s", seconds)
}

// count is a number that is the same in every round.
type count struct {
	name  string
	of    func() (float64, error)
	below float64 // the aim
}

func (c count) title() string { return c.name }

func (c count) run(context.Context, int, *progress) ([]row, error) {
	n, err := c.of()
	return []row{{Name: c.name, Side: "ours", Figure: fmt.Sprintf("%.3g", n), Aim: c.below, Met: n < c.below}}, err
}
