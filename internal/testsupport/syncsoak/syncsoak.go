// Package syncsoak runs rsyncs for some time with everything that can disturb them: two syncs of
// different trees into one place at once, and halves that are killed at random moments. After each
// run it looks whether what is there is right.
package syncsoak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/rsync"
)

// Campaign says what is to be run. All fields but Log are needed.
type Campaign struct {
	// Duration is for how long new runs begin.
	Duration time.Duration
	// Seed decides all that is random but the moments at which things happen.
	Seed uint64
	// Specs are those of the receiving halves, which must be processes of this machine. Each run
	// takes two of them by chance.
	Specs []string
	// Driver is a command that calls [Sync] with its last arguments and exits with 1 if that fails:
	// a sending half that can be killed.
	Driver func(args ...string) *exec.Cmd
	// Log, if set, gets a line about each failure.
	Log func(line string)
}

// Counts are what a campaign has found.
type Counts struct {
	// Runs are pairs of syncs; each is followed by a quiet one. Killed are halves that were killed
	// in them.
	Runs, Killed int
	// Failures are syncs that failed and were not killed, files that are not whole, temporary files
	// that a quiet sync has left, and changes outside the destination.
	Failures int
	// Worst is the longest time that a pair or a quiet sync took.
	Worst time.Duration
}

// run is a campaign under way.
type run struct {
	Campaign
	Counts
	random *rand.Rand
	trees  Trees
	group  *multi.Group
	ready  [2]map[string]*gatewaybase.Gateway // by spec, for both syncs of a pair, to be used again
	// known are the states that each path had in any tree.
	known map[string]map[string]bool
}

// Run runs the campaign in a new directory below the temporary one, which it removes. It reports an
// error if it cannot go on; what it is looking for is in Counts.
func (c Campaign) Run(ctx context.Context) (counts Counts, err error) {
	r := &run{Campaign: c, random: newRandom(c.Seed), group: multi.NewGroup(), known: map[string]map[string]bool{}}
	r.trees.Random = r.random
	r.ready = [2]map[string]*gatewaybase.Gateway{{}, {}}
	defer func() { err = errors.Join(err, terminate(ctx, r.group)) }()
	base, err := os.MkdirTemp("", "execnet-syncsoak")
	if err != nil {
		return r.Counts, err
	}
	defer os.RemoveAll(base)
	for end := time.Now().Add(c.Duration); time.Now().Before(end) && ctx.Err() == nil && err == nil; {
		err = r.once(ctx, base)
	}
	return r.Counts, errors.Join(err, ctx.Err())
}

func (r *run) fail(format string, args ...any) {
	r.Failures++
	if r.Log != nil {
		r.Log(fmt.Sprintf("run %d: ", r.Runs) + fmt.Sprintf(format, args...))
	}
}

// once does one pair of syncs into what the last run has left, and a quiet sync.
func (r *run) once(ctx context.Context, base string) error {
	r.Runs++
	dest, beside := filepath.Join(base, "dest"), filepath.Join(base, "beside")
	var sources [2]string
	for i := range sources {
		sources[i] = filepath.Join(base, fmt.Sprint("source", i))
		if err := os.RemoveAll(sources[i]); err != nil {
			return err
		}
		tree, err := r.trees.grow(sources[i])
		if err != nil {
			return err
		}
		for path, is := range tree {
			if r.known[path] == nil {
				r.known[path] = map[string]bool{}
			}
			r.known[path][is] = true
		}
	}
	var outside state
	if r.Runs == 1 {
		if _, err := r.trees.grow(beside); err != nil {
			return err
		}
	}
	outside, _, err := look(beside)
	if err != nil {
		return err
	}

	start := time.Now()
	r.pair(ctx, sources, dest)
	r.Worst = max(r.Worst, time.Since(start))
	is, _, err := look(dest)
	if err != nil {
		return err
	}
	for path, what := range is {
		if !r.known[path][what] {
			r.fail("%q is %q after two syncs at once, which no tree holds", path, what)
		}
	}

	start = time.Now()
	want, _, err := look(sources[0])
	if err != nil {
		return err
	}
	// A half that was killed may take a moment to end.
	for patience := time.Now().Add(20 * time.Second); ; {
		err := r.sync(ctx, 0, r.args(sources[0], dest, true), nil)
		is, temporaries, lookErr := look(dest)
		if lookErr != nil {
			return lookErr
		}
		if err != nil {
			r.fail("a quiet sync fails: %v", err)
		} else if differ := differences(is, want); len(differ) > 0 {
			r.fail("after a quiet sync: %s", strings.Join(differ, "; "))
		} else if len(temporaries) == 0 {
			break
		} else if time.Now().After(patience) {
			r.fail("quiet syncs leave temporary files: %q", temporaries)
			break
		} else {
			continue
		}
		break
	}
	r.Worst = max(r.Worst, time.Since(start))

	now, _, err := look(beside)
	if err != nil {
		return err
	}
	if differ := differences(now, outside); len(differ) > 0 {
		r.fail("beside the destination: %s", strings.Join(differ, "; "))
	}
	return nil
}

// args are those of Sync.
func (r *run) args(source, dest string, del bool) []string {
	return []string{r.Specs[r.random.IntN(len(r.Specs))], source, dest, fmt.Sprint(del), fmt.Sprint(r.random.IntN(2) == 0)}
}

// What is killed in a sync.
const (
	nothing = iota
	receiver
	driver
)

// pair runs two syncs at once. In half of all runs a half of the first one is killed.
func (r *run) pair(ctx context.Context, sources [2]string, dest string) {
	victim := max(nothing, r.random.IntN(4)-1)
	after := time.Duration(r.random.IntN(100)) * time.Millisecond
	var errs [2]error
	var running sync.WaitGroup
	for i, source := range sources {
		args := r.args(source, dest, r.random.IntN(2) == 0)
		var kill *killing
		if i == 0 && victim != nothing {
			r.Killed++
			kill = &killing{victim, after}
		}
		running.Go(func() { errs[i] = r.sync(ctx, i, args, kill) })
	}
	running.Wait()
	for i, err := range errs {
		if err != nil && (i == 1 || victim == nothing) {
			r.fail("one of two syncs at once fails: %v", err)
		}
	}
}

// killing says which half is killed, and when.
type killing struct {
	victim int
	after  time.Duration
}

// sync does one sync, as the first or the second of a pair. It has a gateway of its own if its
// receiver is to be killed, and a process of its own if its driver is.
func (r *run) sync(ctx context.Context, number int, args []string, kill *killing) error {
	switch {
	case kill == nil:
		gw := r.ready[number][args[0]]
		if gw == nil {
			var err error
			if gw, err = r.group.MakeGateway(ctx, args[0]); err != nil {
				return err
			}
			r.ready[number][args[0]] = gw
		}
		return send(ctx, gw, args)
	case kill.victim == receiver:
		return syncAlone(ctx, args, func(gw *gatewaybase.Gateway) func() bool {
			return time.AfterFunc(kill.after, func() { _ = gw.Kill() }).Stop // it may have ended
		})
	}
	cmd := r.Driver(args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	// It may have ended.
	defer time.AfterFunc(kill.after+startTime, func() { _ = cmd.Process.Kill() }).Stop()
	return cmd.Wait()
}

// startTime is about how long a driver's process and its gateway take to start.
const startTime = 50 * time.Millisecond

// Sync does one sync: args are the spec of the receiving half, the source, the destination, "true"
// to delete what the source has not, and "true" to send only the changes of large files.
func Sync(ctx context.Context, args []string) error {
	return syncAlone(ctx, args, func(*gatewaybase.Gateway) func() bool { return func() bool { return true } })
}

// syncAlone does one sync with a gateway of its own. started is called before it begins, and what
// started returns after it.
func syncAlone(ctx context.Context, args []string, started func(gw *gatewaybase.Gateway) (end func() bool)) (err error) {
	if len(args) != 5 {
		return fmt.Errorf("execnet: a sync needs 5 arguments, not %d", len(args))
	}
	group := multi.NewGroup()
	defer func() { err = errors.Join(err, terminate(ctx, group)) }()
	gw, err := group.MakeGateway(ctx, args[0])
	if err != nil {
		return err
	}
	defer started(gw)()
	return send(ctx, gw, args)
}

func send(ctx context.Context, gw *gatewaybase.Gateway, args []string) error {
	sync := rsync.New(args[1])
	if args[4] == "true" {
		sync.Delta = rsync.DeltaAlways
	}
	if err := sync.AddTarget(gw, args[2], rsync.TargetOptions{Delete: args[3] == "true"}); err != nil {
		return err
	}
	return sync.Send(ctx)
}

func terminate(ctx context.Context, group *multi.Group) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return group.Terminate(ctx)
}
