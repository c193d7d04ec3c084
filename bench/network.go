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
	delay     = 50 * time.Millisecond // how long the relay holds each byte back, each way
	roundTrip = 2 * delay
	// tolerance is the part of a round trip that may be due to the machine: an aim of n round trips
	// is met by n+tolerance.
	tolerance = 0.25
	// fastFlags make the interpreters there start in a fraction of the time: without site-packages.
	fastFlags = "-S -E"
	// many gateways go to one host; that is compared with few.
	manyFar, fewFar = 20, 2
)

// networkComparison compares what several sides do over a slow network. Each round measures each
// side with the relay's delay and without. Its goals compare how much longer a side takes with the
// delay, in round trips.
type networkComparison struct {
	bench *bench
	name  string
	sides func(*sshServer) []side
	goals []goal
	// local is a part of each side's work that does not use the network, for orientation.
	local side
}

func (c networkComparison) title() string { return c.name }

// network compares first results over ssh and a slow network.
func (b *bench) network() []measurement {
	// Only in the first round this program is not there yet.
	const bare, self = "ssh handshake", "StartGateway, self"
	first := networkComparison{
		bench: b,
		name:  "first result over ssh",
		sides: func(s *sshServer) []side {
			spec := s.spec(b.python)
			return []side{
				once(bare, s.handshake),
				startFar.side("StartGateway", 1, spec),
				startFar.side(self, 1, s.selfSpec()),
				makeFar(0).side("MakeGateway", 1, spec),
				startFar.side("sshclient=openssh", 1, spec+"//sshclient=openssh"),
				opener(b.executeFar).side("execnet", 1, spec),
			}
		},
		goals: []goal{
			{"StartGateway", bare, addTrips, 2 + tolerance}, {self, bare, addTrips, 2 + tolerance}, {"MakeGateway", bare, addTrips, 0},
			{"sshclient=openssh", bare, addTrips, 0}, {"execnet", bare, addTrips, 0},
		},
		local: once("python "+fastFlags+" -c pass", func(ctx context.Context) (time.Duration, error) {
			start := time.Now()
			err := exec.CommandContext(ctx, b.python.path, append(strings.Fields(fastFlags), "-c", "pass")...).Run()
			return time.Since(start), err
		}),
	}
	all := []measurement{first}
	for _, way := range []struct {
		name string
		open opener
	}{
		{"StartGateway", startFar}, {"MakeGateways", makeFar(0)}, {fmt.Sprintf("MakeGateways with MaxStarting %d", manyFar), makeFar(manyFar)},
	} {
		many, few := fmt.Sprintf("%d gateways", manyFar), fmt.Sprintf("%d gateways", fewFar)
		all = append(all, networkComparison{
			bench: b,
			name:  many + " to one host, " + way.name + " over ssh",
			sides: func(s *sshServer) []side {
				return []side{way.open.side(many, manyFar, s.spec(b.python)), way.open.side(few, fewFar, s.spec(b.python))}
			},
			goals: []goal{{many, few, addTrips, tolerance}},
		})
	}
	return all
}

func (c networkComparison) run(ctx context.Context, rounds int, p *progress) ([]row, error) {
	if missing := missingSSH(); missing != "" {
		return []row{{Name: c.name, Figure: "not measured: " + missing + " not installed (OpenSSH is needed here)"}}, nil
	}
	server, err := c.bench.sshServer(ctx)
	if err != nil {
		return nil, err
	}
	sides := c.sides(server)
	names := make([]string, len(sides))
	for i, s := range sides {
		names[i] = s.name
	}
	// By side and round: seconds with and without the delay, and its cost in round trips.
	slow, fast, waits := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	rounds = fewer(rounds, 3)
	err = inTurns(ctx, p, rounds, names, func(_, i int) error {
		var seconds [2]float64
		for k, d := range []time.Duration{0, delay} {
			server.relay.SetDelay(d)
			each, err := sides[i].run(ctx, 1)
			if err != nil {
				return err
			}
			seconds[k] = each.Seconds()
		}
		name := names[i]
		fast[name] = append(fast[name], seconds[0])
		slow[name] = append(slow[name], seconds[1])
		waits[name] = append(waits[name], (seconds[1]-seconds[0])/roundTrip.Seconds())
		return nil
	})
	if err != nil {
		return nil, err
	}
	show := func(name string) (text string, value float64) {
		trips := median(slow[name]) / roundTrip.Seconds()
		return fmt.Sprintf("%.3g round trips (%.0f ms; without delay %.0f ms)", trips, median(slow[name])*1e3, median(fast[name])*1e3), trips
	}
	rows := make([]row, len(c.goals))
	for i, g := range c.goals {
		rows[i] = g.compare(c.name, waits, asTime)
		rows[i].Figure, rows[i].Value = show(g.side)
		rows[i].TheirFigure, rows[i].TheirValue = show(g.against)
	}
	if c.local.run != nil {
		var seconds []float64
		for round := range rounds {
			p.round(round+1, rounds, c.local.name)
			each, err := c.local.run(ctx, 1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", c.local.name, err)
			}
			seconds = append(seconds, each.Seconds())
		}
		rows = append(rows, row{Name: c.name, Side: c.local.name, Figure: duration(median(seconds))})
	}
	return rows, nil
}

// opener makes n gateways to one host and receives a value from each.
type opener func(ctx context.Context, n int, spec string) (time.Duration, error)

func (o opener) side(name string, gateways int, spec string) side {
	return once(name, func(ctx context.Context) (time.Duration, error) { return o(ctx, gateways, spec) })
}

// startFar makes gateways that send their first source with the bootstrap.
var startFar opener = func(ctx context.Context, n int, spec string) (took time.Duration, err error) {
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

// makeFar makes gateways, at most atOnce at a time, and waits for them before it sends the first
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
