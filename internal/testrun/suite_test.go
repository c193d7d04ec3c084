package testrun_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/suites"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// files is a suite.
type files = suites.Files

// result is what a run has told.
type result struct {
	code   testrun.ExitCode
	err    error
	events []testrun.Event
}

// of are the events of one type.
func of[E testrun.Event](r result) []E {
	var out []E
	for _, e := range r.events {
		if e, ok := e.(E); ok {
			out = append(out, e)
		}
	}
	return out
}

// outcomes are the outcomes by node id. A test that is told twice fails.
func (r result) outcomes(t *testing.T) map[string]testrun.Outcome {
	t.Helper()
	out := map[string]testrun.Outcome{}
	for _, d := range of[*testrun.TestDone](r) {
		require.NotContains(t, out, d.Test.ID, "told twice")
		out[d.Test.ID] = d.Outcome
	}
	return out
}

// test is the end of a test.
func (r result) test(t *testing.T, id string) *testrun.TestDone {
	t.Helper()
	for _, d := range of[*testrun.TestDone](r) {
		if d.Test.ID == id {
			return d
		}
	}
	t.Fatalf("%s was not run", id)
	return nil
}

func (r result) printed() string {
	var b strings.Builder
	for _, p := range of[*testrun.Printed](r) {
		b.WriteString(p.Text + "\n")
	}
	return b.String()
}

// runIn runs the suite in dir in so many workers, or in those of c. watch, if it is not nil, gets
// each event.
func runIn(t *testing.T, ctx context.Context, dir string, workers int, c testrun.Config, watch func(testrun.Event)) result {
	t.Helper()
	c.Group = multi.NewGroup()
	defer func() { require.NoError(t, c.Group.Terminate(within.Soon(t))) }()
	if c.Specs == nil {
		c.Specs = specs(t, workers, "popen//python="+pythons.WithExecnet(t))
	}
	c.Dir = dir
	c.Args = append([]string{"-p", "no:cacheprovider"}, c.Args...)
	var r result
	r.code, r.err = testrun.Run(ctx, c, func(e testrun.Event) {
		r.events = append(r.events, e)
		if watch != nil {
			watch(e)
		}
	})
	return r
}

// specs are so many workers of a spec.
func specs(t *testing.T, workers int, spec string) (all []*xspec.Spec) {
	t.Helper()
	for range workers {
		parsed, err := xspec.Parse(spec)
		require.NoError(t, err)
		all = append(all, parsed)
	}
	return all
}

// enough is a context for a run. Each of its processes takes its time on a machine that is busy.
func enough(t *testing.T) context.Context { return within.Time(t, 2*time.Minute) }

// runFiles writes a suite and runs it in so many workers.
func runFiles(t *testing.T, workers int, f files, c testrun.Config) result {
	t.Helper()
	return runIn(t, enough(t), f.Write(t), workers, c, nil)
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data)
}
