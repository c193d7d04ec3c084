package main

// The faults that end a gateway: its worker, its forwarder or its connection goes, or this end ends
// it. Whatever waits then has to end soon, and nothing may be left.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"github.com/go-execnet/execnet"
)

// harm keeps a gateway busy, harms it, and checks that everything that waits ends as expected, and
// that the worker goes.
func (s *soak) harm(ctx context.Context, r *rand.Rand, w road, expected func(error) bool,
	harm func(*opened) error) (latency time.Duration, err error) {
	o, err := s.open(ctx, w)
	if err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*limit)
	defer cancel()
	l := startLoad(ctx, o.gw)
	moment(ctx, r)
	start := time.Now()
	harmErr := harm(o)
	slow := time.AfterFunc(limit, func() {
		fmt.Fprintf(s.log, "soak: %s is slow\n%s\n", w.name, stacks())
	})
	defer slow.Stop()
	latency, err = l.wait(start, expected)
	return latency, errors.Join(harmErr, err, o.close(), awaitGone(o.pid))
}

// died reports whether an error says that the far end is gone.
func died(err error) bool {
	var gone *execnet.GatewayDiedError
	return errors.As(err, &gone)
}

// ended reports whether an error says that this end has ended the gateway, or that the far end has
// ended in order.
func ended(err error) bool {
	var remote *execnet.RemoteError
	return died(err) || errors.Is(err, execnet.ErrTerminated) || errors.Is(err, execnet.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.As(err, &remote)
}

func kill(pid int) error {
	process, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return process.Kill()
}

func killWorker(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	return s.harm(ctx, r, w, died, func(o *opened) error { return kill(o.pid) })
}

func killForwarder(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	return s.harm(ctx, r, w, died, func(o *opened) error {
		ctx, cancel := within(ctx)
		defer cancel()
		pid, err := pidOf(ctx, o.group.Get("forwarder"))
		if err != nil {
			return err
		}
		return errors.Join(kill(pid), awaitGone(pid))
	})
}

// killSession kills the process of sshd that a session belongs to.
func killSession(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	return s.harm(ctx, r, w, died, func(o *opened) error {
		pid := o.pid
		if w.isVia() {
			pid = parent(pid)
		}
		for ; pid > 1; pid = parent(pid) {
			if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); len(name) > 3 && string(name[:4]) == "sshd" {
				return kill(pid)
			}
		}
		return fmt.Errorf("no sshd above process %d", o.pid)
	})
}

func cut(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	return s.harm(ctx, r, w, died, func(o *opened) error { o.relay.Cut(); return nil })
}

// terminate ends a gateway from this end, in one of its ways.
func terminate(ctx context.Context, s *soak, r *rand.Rand, w road) (time.Duration, error) {
	ways := []func(o *opened) error{
		func(o *opened) error { o.gw.Exit(); return nil },
		func(o *opened) error { return o.gw.Kill() },
		func(o *opened) error {
			ctx, cancel := context.WithTimeout(ctx, limit/2)
			defer cancel()
			return o.group.Terminate(ctx)
		},
		func(o *opened) error {
			// Within a callback, for which the call itself waits until its context ends.
			ctx, cancel := within(ctx)
			defer cancel()
			short, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			ch, err := o.gw.RemoteExec(ctx, "channel.send(1)")
			if err != nil {
				return err
			}
			result := make(chan error, 1)
			if err := ch.SetCallback(func(any) error { result <- o.group.Terminate(short); return nil }, execnet.NoEndmarker); err != nil {
				return err
			}
			select {
			case err := <-result:
				return err
			case <-ctx.Done():
				return errors.New("the call of Terminate does not return")
			}
		},
	}
	i := r.IntN(len(ways))
	latency, err := s.harm(ctx, r, w, ended, ways[i])
	if err != nil {
		err = fmt.Errorf("%s: %w", []string{"Exit", "Kill", "Terminate", "Terminate in a callback"}[i], err)
	}
	return latency, err
}
