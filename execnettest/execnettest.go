// Package execnettest makes gateways and groups for Go tests. They end with their test, and what
// their workers print and log stands in the test's log.
//
//	func TestMean(t *testing.T) {
//		gw := execnettest.Gateway(t, "popen//python=.venv/bin/python")
//		mean, err := execnet.RemoteCall[int](t.Context(), gw, "statistics.mean", []int{1, 3})
//		...
//	}
//
// # The end of a test
//
// A worker ends when its test and the test's subtests have ended, also after t.FailNow, t.Skip and
// a panic in the test's goroutine. Functions that are given to t.Cleanup after a gateway was made
// can still use it, with a context other than t.Context(), which has ended by then. A worker has
// five seconds to end by itself, and is killed after that.
//
// When the test program itself dies, as it does after -timeout, os.Exit or a panic in another
// goroutine, its workers end by themselves: nearly all at once, and after 20 seconds one that
// cannot be interrupted.
//
// # Logs
//
// Each line that a worker or one of its children prints is a line of the test's log, behind the id
// of its gateway. So "go test" shows it with -v, and when the test fails:
//
//	[gw0 stdout] hello
//	[gw0 stderr] /srv/app/model.py:7: UserWarning: 3 rows are empty
//	[gw0 log] level=WARN msg="3 rows are empty" logger=analysis file=model.py line=7 function=fit
//
// The records of Python's logging come so, too, with the levels that the far end lets through, and
// in a Go worker those of log/slog. What a worker prints after its test has ended, if that is
// possible at all, goes to os.Stderr.
//
// # Workers that die
//
// A worker that dies during the test does not fail the test by itself: whoever waits for it gets an
// [*execnet.GatewayDiedError], and a test may want just that. The log tells it, with the exit
// status and the last lines of stderr, as it tells of a worker that had to be killed at the end.
package execnettest

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-execnet/execnet"
)

// Gateway starts an interpreter as spec says and returns the gateway to it, which ends with the
// test. An empty spec means "popen": python3 of this machine. A start that fails ends the test with
// t.Fatal and the reason. So does one that would take until -timeout.
//
// All gateways that a test makes so are in one group, so they have different ids, and a spec with
// via= can name one that was made before it.
func Gateway(t testing.TB, spec string) *execnet.Gateway {
	t.Helper()
	ctx, cancel := starting(t)
	defer cancel()
	gw, err := groupOf(t).MakeGateway(ctx, spec)
	if err != nil {
		t.Fatal(err)
	}
	return gw
}

// Group makes a group of gateways, one for each spec, side by side, as Group.MakeGateways does. It
// ends with the test, together with the gateways that are added to it later. A start that fails
// ends the test with t.Fatal and the reasons. So does one that would take until -timeout.
//
// Without specs the group is empty: then its fields, such as SSH and DefaultSpec, can still be set.
// Those that carry the log (Output, SlogHandler, Stderr) are set already.
func Group(t testing.TB, specs ...string) *execnet.Group {
	t.Helper()
	group := newGroup(t)
	ctx, cancel := starting(t)
	defer cancel()
	if _, err := group.MakeGateways(ctx, specs...); err != nil {
		t.Fatal(err)
	}
	return group
}

// startEnd is how long it may take to end a start that has had no answer.
const startEnd = 5 * time.Second

// starting bounds a start by most of the time that is left to the test, since nobody would learn
// from the panic of -timeout which host does not answer.
func starting(t testing.TB) (context.Context, context.CancelFunc) {
	if bounded, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := bounded.Deadline(); ok {
			left := time.Until(deadline)
			return context.WithTimeout(t.Context(), left-max(left/10, min(left/2, startEnd)))
		}
	}
	return context.WithCancel(t.Context())
}

// newGroup makes an empty group that ends with the test.
func newGroup(t testing.TB) *execnet.Group {
	log := newTestLog(t)
	group := &execnet.Group{Output: log.line, SlogHandler: newRecords(log), Stderr: log}
	t.Cleanup(func() {
		t.Helper()
		living := map[*execnet.Gateway]bool{}
		for gw := range group.All() {
			if err := gw.Err(); err != nil {
				log.print(err.Error())
			}
			living[gw] = gw.HasReceiver()
		}
		if err := group.Terminate(context.Background()); err != nil {
			t.Error(err)
		}
		for gw, lived := range living {
			if exit := gw.ExitStatus(); lived && (exit.Signal != nil || exit.Code != 0) {
				log.print(fmt.Sprintf("execnet: gateway %s did not end in order after the test%s", gw.ID(), exit))
			}
		}
		log.end()
	})
	return group
}

// groups are the groups of the tests that have called Gateway and have not ended.
var groups struct {
	sync.Mutex
	of map[testing.TB]*execnet.Group
}

// groupOf returns the group for the gateways of a test.
func groupOf(t testing.TB) *execnet.Group {
	groups.Lock()
	defer groups.Unlock()
	if group := groups.of[t]; group != nil {
		return group
	}
	if groups.of == nil {
		groups.of = map[testing.TB]*execnet.Group{}
	}
	t.Cleanup(func() {
		groups.Lock()
		defer groups.Unlock()
		delete(groups.of, t)
	})
	group := newGroup(t)
	groups.of[t] = group
	return group
}
