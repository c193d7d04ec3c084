package main

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestQuantile(t *testing.T) {
	values := []float64{4, 1, 3, 2, 5}
	assert.Equal(t, 3.0, quantile(values, 0.5))
	assert.Equal(t, 2.0, quantile(values, 0.25))
	assert.Equal(t, 2.5, quantile(values[:4], 0.5))
	assert.Equal(t, 7.0, quantile([]float64{7}, 0.75))
	assert.Equal(t, []float64{4, 1, 3, 2, 5}, values)
}

// quiet is progress that nobody reads.
var quiet = &progress{w: io.Discard}

// steady is a side whose repetitions take as long as told, by its own clock.
func steady(name string, each time.Duration) side {
	return side{name, func(_ context.Context, n int) (time.Duration, error) { return time.Duration(n) * each, nil }}
}

func TestComparison(t *testing.T) {
	c := comparison{
		name:   "walk",
		figure: asTime,
		sides:  []side{steady("ours", 2*time.Microsecond), steady("theirs", 3*time.Microsecond)},
		goals: []goal{
			{"ours", "theirs", speed, 1.4}, {"ours", "theirs", speed, 1.6}, {"theirs", "ours", longer, 1.4}, {"theirs", "ours", longer, 1.6},
			{"ours", "theirs", speed, 0},
		},
	}
	rows, err := c.run(t.Context(), 3, quiet)
	require.NoError(t, err)
	var met []bool
	for _, r := range rows {
		assert.InDelta(t, 1.5, r.Ratio, 1e-9)
		assert.InDelta(t, r.Ratio, r.LowQuartile, 1e-9)
		met = append(met, r.Met)
	}
	assert.Equal(t, []bool{true, false, false, true, false}, met)
	assert.Equal(t, "2 µs", rows[0].Figure)
	assert.InDelta(t, 2e-6, rows[0].Value, 1e-12)
	assert.Equal(t, []string{"at least 1.4", "met"}, []string{rows[0].aim(), rows[0].result()})
	assert.Equal(t, []string{"at most 1.4", "missed"}, []string{rows[2].aim(), rows[2].result()})
	assert.Equal(t, []string{"", ""}, []string{rows[4].aim(), rows[4].result()})
	assert.Contains(t, rows[0].ratio(), "speed × 1.5")
}

func TestRoundsTakeTurns(t *testing.T) {
	var order []string
	turn := func(name string) side {
		return side{name, func(context.Context, int) (time.Duration, error) {
			order = append(order, name)
			return time.Second, nil
		}}
	}
	c := comparison{name: "turns", figure: asTime, once: true, sides: []side{turn("a"), turn("b")}}
	_, err := c.run(t.Context(), 2, quiet)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b", "a", "b", "b", "a"}, order, "two to warm up, then each round begins with another")
}

func TestWorkloadsAreEncoded(t *testing.T) {
	all, err := workloads()
	require.NoError(t, err)
	require.Len(t, all, 4)
	for _, w := range all {
		assert.NotEmpty(t, w.execnet)
		assert.NotEmpty(t, w.msgpack)
		assert.NotEmpty(t, w.cbor)
		assert.NotNil(t, w.value)
	}
}

func TestOptions(t *testing.T) {
	o, err := parse([]string{"-only", "echo|items", "-rounds", "3", "-markdown"})
	require.NoError(t, err)
	assert.True(t, o.only.MatchString("echo round trip"))
	assert.False(t, o.only.MatchString("dumps 10k ints"))
	assert.Equal(t, 3, o.rounds)
	assert.True(t, o.markdown)
	_, err = parse([]string{"-rounds", "0"})
	assert.ErrorContains(t, err, "at least one")
	_, err = parse([]string{"more"})
	assert.ErrorContains(t, err, "unexpected argument")
}

// One sample that takes long, because the machine does something else, does not make samples short.
func TestCalibrate(t *testing.T) {
	runs := 0
	n, err := comparison{}.calibrate(t.Context(), side{"busy", func(_ context.Context, n int) (time.Duration, error) {
		if runs++; runs == 3 || runs == 4 {
			return time.Hour, nil
		}
		return time.Duration(n) * time.Millisecond, nil
	}})
	require.NoError(t, err)
	assert.Equal(t, 32, n)
}

// A sample of large items is long enough to measure a stream of them.
func TestCalibrateStreams(t *testing.T) {
	for size, want := range map[int]int{largeItem: 256, hugeItem: 16, 1 << 30: 1} {
		n, err := comparison{figure: asThroughput(size)}.calibrate(t.Context(), side{"slow", func(_ context.Context, n int) (time.Duration, error) {
			return time.Hour, nil
		}})
		require.NoError(t, err)
		assert.Equal(t, want, n)
	}
}
