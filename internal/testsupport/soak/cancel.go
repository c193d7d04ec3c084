package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-execnet/execnet"
)

// cancel lets contexts end while calls run, and then checks that the gateway is as good as before.
func cancel(ctx context.Context, s *soak, r *rand.Rand, w road) (latency time.Duration, err error) {
	o, err := s.open(ctx, w)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, o.close(), awaitGone(o.pid)) }()
	ctx, stop := within(ctx)
	defer stop()
	echoing, err := o.gw.RemoteExec(ctx, echoSource)
	if err != nil {
		return 0, err
	}
	calls := map[string]func(context.Context) error{
		"Send": func(ctx context.Context) error { return echoing.Send(ctx, largeItem(1)) },
		"Receive": func(ctx context.Context) error {
			_, err := echoing.Receive(ctx)
			return err
		},
		"RemoteExec": func(ctx context.Context) error { return execute(ctx, o.gw) },
		"WaitClose":  func(ctx context.Context) error { return echoing.WaitClose(ctx) },
	}
	if w.golang {
		calls["RemoteCall"] = func(ctx context.Context) error {
			_, err := o.gw.RemoteCall(ctx, "soak.wait")
			return err
		}
	}
	for range 5 {
		var waiting []func()
		results := make(chan error, len(calls))
		for name, call := range calls {
			short, stop := context.WithTimeout(ctx, time.Duration(r.ExpFloat64()*float64(5*time.Millisecond)))
			waiting = append(waiting, func() {
				defer stop()
				start := time.Now()
				err := call(short)
				if took := time.Since(start); took > limit/2 {
					err = errors.Join(err, fmt.Errorf("it took %v", took))
				} else if err == nil || errors.Is(err, execnet.ErrTimeout) {
					err = nil
				}
				if err != nil {
					err = fmt.Errorf("%s: %w", name, err)
				}
				results <- err
			})
		}
		start := time.Now()
		all(waiting...)
		latency = max(latency, time.Since(start))
		for range calls {
			err = errors.Join(err, <-results)
		}
		if err != nil {
			return latency, err
		}
	}
	// What was sent whole comes back, however many of the contexts ended.
	if err := execute(ctx, o.gw); err != nil {
		return latency, fmt.Errorf("the gateway is not usable afterwards: %w", err)
	}
	return latency, nil
}
