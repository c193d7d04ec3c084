package gatewayio

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/dialback"
	"github.com/go-execnet/execnet/internal/timeout"
	"github.com/go-execnet/execnet/xspec"
)

// LaunchError says that a worker of a launch= spec has not connected: its launcher has ended, or
// the time is over. A launcher that is not there is a *StartError. Use errors.As with a
// *LaunchError. Its fields:
//
//	Launcher string // the command of launch=, or the srun of slurm=
//	N        int    // how many workers the launch has
//	Missing  []int  // the ranks of those that had not connected
//	Address  string // where workers find this process
//	Refused  string // how many connections were refused, and why the last one; "" for none
//	Exit     Exit   // how the launcher has ended, if it has, and what was printed last
//	Err      error  // ErrLauncherEnded, or why the context has ended
type LaunchError = dialback.Error

var (
	// ErrLauncherEnded is the cause of a LaunchError: no worker can come any more.
	ErrLauncherEnded = dialback.ErrEnded
	// ErrLaunchedTogether is the error of starting one worker of a launch anew while others of it
	// live: the launcher starts all of them together.
	ErrLaunchedTogether = dialback.ErrAgain
)

// launches are the launches of an Opener.
type launches struct {
	mu sync.Mutex // guards what follows
	// latest are the launches of specs that several workers share, which may have ended.
	latest map[*xspec.Launched]*dialback.Launch
	living []*dialback.Launch // perhaps some that have ended
}

// openLaunch waits for the worker of a launch= spec. The first one of those that belong together
// runs the launcher. When all of them have ended it is run anew for the next one.
func (o *Opener) openLaunch(ctx context.Context, spec *xspec.Spec, stderr io.Writer) (gatewaybase.IO, error) {
	if spec.Launched != nil {
		stderr = nil // what the launcher prints is not of one gateway
	}
	for {
		launch, err := o.launches.of(spec, cmp.Or(stderr, o.stderr()))
		if err != nil {
			return nil, err
		}
		worker, err := launch.Claim(ctx, spec.Rank)
		if !errors.Is(err, dialback.ErrAgain) {
			return pipe(worker, err)
		}
		select {
		case <-launch.Ending():
		default:
			return nil, err
		}
		select {
		case <-launch.Done():
		case <-ctx.Done():
			return nil, timeout.During(ctx, "waiting for the end of the last launch")
		}
		o.launches.forget(spec.Launched, launch)
	}
}

// of returns the launch that a spec's worker belongs to, and starts it if there is none.
func (l *launches) of(spec *xspec.Spec, stderr io.Writer) (*dialback.Launch, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if launch := l.latest[spec.Launched]; launch != nil {
		return launch, nil
	}
	launch, err := dialback.Start(spec, cmdline.Environ(nil, spec.Env), stderr)
	if err != nil {
		return nil, err
	}
	l.living = slices.DeleteFunc(l.living, func(l *dialback.Launch) bool {
		select {
		case <-l.Done():
			return true
		default:
			return false
		}
	})
	l.living = append(l.living, launch)
	if spec.Launched != nil {
		if l.latest == nil {
			l.latest = map[*xspec.Launched]*dialback.Launch{}
		}
		l.latest[spec.Launched] = launch
	}
	return launch, nil
}

// forget lets the next worker start a launch, unless another one has done that.
func (l *launches) forget(launched *xspec.Launched, ended *dialback.Launch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.latest[launched] == ended {
		delete(l.latest, launched)
	}
}

// close ends all launches, and waits until nothing of them is left.
func (l *launches) close() {
	l.mu.Lock()
	living := l.living
	l.living, l.latest = nil, nil
	l.mu.Unlock()
	var ends sync.WaitGroup
	for _, launch := range living {
		ends.Go(launch.End)
	}
	ends.Wait()
}
