package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-execnet/execnet"
)

const (
	oneWay    = 50 * time.Millisecond // how long the relay holds each byte back
	roundTrip = 2 * oneWay
	// stray is how much of a round trip may be due to the machine: an aim of n round trips is met
	// by n and this.
	stray = 0.25
	// quick are the flags with which the interpreters over there start in a fraction of the time:
	// without site-packages.
	quick = "-S -E"
	// crowd is how many gateways one host gets, few how many they are compared with.
	crowd, few = 20, 2
)

// journey is something that several sides do over a slow network. Each round measures each of them
// with the relay's delay and without; how much longer it takes with it, in round trips, is what its
// goals compare.
type journey struct {
	bench *bench
	name  string
	sides func(far *sshServer) []side
	goals []goal
	// beside is a part of what each side does that has nothing to do with the network, for
	// orientation.
	beside side
}

func (j journey) title() string { return j.name }

// network compares first results over ssh and a slow network.
func (b *bench) network() []measurement {
	const bare = "ssh handshake"
	one := func(open opener, spec string) func(context.Context, int) (time.Duration, error) {
		return func(ctx context.Context, _ int) (time.Duration, error) { return open(ctx, 1, spec) }
	}
	first := journey{
		bench: b,
		name:  "first result over ssh",
		sides: func(far *sshServer) []side {
			spec := far.spec(b.python)
			return []side{
				{bare, func(ctx context.Context, _ int) (time.Duration, error) { return far.handshake(ctx) }},
				{"StartGateway", one(startFar, spec)},
				{"MakeGateway", one(makeFar(0), spec)},
				{"sshclient=openssh", one(startFar, spec+"//sshclient=openssh")},
				{"execnet", one(b.executeFar, spec)},
			}
		},
		goals: []goal{
			{"StartGateway", bare, trips, 2 + stray}, {"MakeGateway", bare, trips, 0},
			{"sshclient=openssh", bare, trips, 0}, {"execnet", bare, trips, 0},
		},
		beside: side{"python " + quick + " -c pass", func(ctx context.Context, _ int) (time.Duration, error) {
			start := time.Now()
			err := exec.CommandContext(ctx, b.python.path, append(strings.Fields(quick), "-c", "pass")...).Run()
			return time.Since(start), err
		}},
	}
	all := []measurement{first}
	for _, way := range []struct {
		name string
		open opener
	}{
		{"StartGateway", startFar}, {"MakeGateways", makeFar(0)}, {fmt.Sprintf("MakeGateways with MaxStarting %d", crowd), makeFar(crowd)},
	} {
		many, two := fmt.Sprintf("%d gateways", crowd), fmt.Sprintf("%d gateways", few)
		all = append(all, journey{
			bench: b,
			name:  many + " to one host, " + way.name + " over ssh",
			sides: func(far *sshServer) []side {
				spec := far.spec(b.python)
				return []side{
					{many, func(ctx context.Context, _ int) (time.Duration, error) { return way.open(ctx, crowd, spec) }},
					{two, func(ctx context.Context, _ int) (time.Duration, error) { return way.open(ctx, few, spec) }},
				}
			},
			goals: []goal{{many, two, trips, stray}},
		})
	}
	return all
}

func (j journey) run(ctx context.Context, rounds int) ([]row, error) {
	if missing := missingSSH(); missing != "" {
		return []row{{Name: j.name, Figure: "not measured: " + missing + " not installed (OpenSSH is needed here)"}}, nil
	}
	if j.bench.far == nil {
		far, err := startSSHServer(ctx)
		if err != nil {
			return nil, err
		}
		j.bench.far = far
	}
	far := j.bench.far
	sides := j.sides(far)
	waits, took := map[string][]float64{}, map[string][]float64{} // round trips waited for, and seconds, by side and round
	near := map[string][]float64{}                                // seconds without the delay
	for round := range max(3, rounds/3) {
		for k := range sides {
			s := sides[(k+round)%len(sides)]
			var seconds [2]float64
			for i, delay := range []time.Duration{0, oneWay} {
				far.relay.SetDelay(delay)
				each, err := s.run(ctx, 1)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", s.name, err)
				}
				seconds[i] = each.Seconds()
			}
			near[s.name] = append(near[s.name], seconds[0])
			took[s.name] = append(took[s.name], seconds[1])
			waits[s.name] = append(waits[s.name], (seconds[1]-seconds[0])/roundTrip.Seconds())
		}
	}
	show := func(name string) string {
		far := quantile(took[name], 0.5)
		return fmt.Sprintf("%.3g round trips (%.0f ms; without delay %.0f ms)", far/roundTrip.Seconds(), far*1e3, quantile(near[name], 0.5)*1e3)
	}
	rows := make([]row, len(j.goals))
	for i, g := range j.goals {
		rows[i] = g.compare(j.name, waits[g.side], waits[g.against], func(float64) string { return "" })
		rows[i].Figure, rows[i].TheirFigure = show(g.side), show(g.against)
	}
	if j.beside.run != nil {
		each, err := j.besides(ctx, len(waits[j.goals[0].side]))
		if err != nil {
			return nil, err
		}
		rows = append(rows, row{Name: j.name, Side: j.beside.name, Figure: duration(each)})
	}
	return rows, nil
}

// besides is the median of the side that does not use the network.
func (j journey) besides(ctx context.Context, rounds int) (time.Duration, error) {
	var seconds []float64
	for range rounds {
		each, err := j.beside.run(ctx, 1)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", j.beside.name, err)
		}
		seconds = append(seconds, each.Seconds())
	}
	return time.Duration(quantile(seconds, 0.5) * float64(time.Second)), nil
}

// opener makes n gateways to one host and receives a value from each.
type opener func(ctx context.Context, n int, spec string) (time.Duration, error)

// startFar makes gateways that send their first source with the bootstrap.
func startFar(ctx context.Context, n int, spec string) (took time.Duration, err error) {
	group := execnet.NewGroup()
	defer func() { err = errors.Join(err, group.Terminate(context.Background())) }()
	start := time.Now()
	gateways := make([]*execnet.Gateway, n)
	for i := range gateways {
		if gateways[i], err = group.StartGateway(ctx, spec); err != nil {
			return 0, err
		}
	}
	err = firstResults(ctx, gateways)
	return time.Since(start), err
}

// makeFar makes gateways, at most so many at a time, and waits for them before it sends the first
// source.
func makeFar(atOnce int) opener {
	return func(ctx context.Context, n int, spec string) (took time.Duration, err error) {
		group := execnet.NewGroup()
		group.MaxStarting = atOnce
		defer func() { err = errors.Join(err, group.Terminate(context.Background())) }()
		start := time.Now()
		gateways, err := group.MakeGateways(ctx, slices.Repeat([]string{spec}, n)...)
		if err != nil {
			return 0, err
		}
		err = firstResults(ctx, gateways)
		return time.Since(start), err
	}
}

// executeFar is pip's execnet, which runs the ssh command.
func (b *bench) executeFar(ctx context.Context, n int, spec string) (time.Duration, error) {
	return b.pip.side("start", []byte(spec)).run(ctx, n)
}

// firstResults calls each gateway once, side by side.
func firstResults(ctx context.Context, gateways []*execnet.Gateway) error {
	var calls errgroup.Group
	for _, gw := range gateways {
		calls.Go(func() error {
			ch, err := gw.RemoteExec(ctx, "channel.send(1)")
			if err != nil {
				return err
			}
			_, err = ch.Receive(ctx)
			return err
		})
	}
	return calls.Wait()
}
