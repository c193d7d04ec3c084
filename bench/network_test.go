package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/relay"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestNetworkWithoutOpenSSH(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	rows, err := networkComparison{bench: &bench{}, name: "first result"}.run(t.Context(), 3, quiet)
	require.NoError(t, err, "the other measurements are not to fail with it")
	require.Len(t, rows, 1)
	assert.Contains(t, rows[0].Figure, "ssh not installed")
}

// A side that takes 6 round trips beside one that takes 4.
func TestNetworkComparisonCountsRoundTrips(t *testing.T) {
	far := &sshServer{relay: &relay.Relay{}}
	waiting := func(name string, n int) side {
		return side{name, func(context.Context, int) (time.Duration, error) {
			return time.Second + time.Duration(2*n)*far.relay.Delay(), nil
		}}
	}
	c := networkComparison{
		bench: &bench{sshd: far},
		name:  "walk",
		sides: func(*sshServer) []side { return []side{waiting("six", 6), waiting("four", 4)} },
		goals: []goal{{"six", "four", addTrips, 2.25}, {"six", "four", addTrips, 1.25}},
	}
	rows, err := c.run(t.Context(), 3, quiet)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	assert.InDelta(t, 2, rows[0].Ratio, 1e-9)
	assert.Equal(t, []bool{true, false}, []bool{rows[0].Met, rows[1].Met})
	assert.Equal(t, "trips +2 (+2 to +2)", rows[0].ratio())
	assert.Equal(t, "at most +2.25", rows[0].aim())
	assert.Equal(t, "16 round trips (1600 ms; without delay 1000 ms)", rows[0].Figure)
}

func TestFarGateways(t *testing.T) {
	require.Empty(t, missingSSH(), "install OpenSSH: apt-get install openssh-server openssh-client")
	far, err := startSSHServer(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, far.close()) })
	python, err := findPython(t.Context(), "python3")
	require.NoError(t, err)
	far.relay.SetDelay(5 * time.Millisecond)
	took, err := far.handshake(t.Context())
	require.NoError(t, err)
	assert.Greater(t, took, 20*time.Millisecond, "at least two round trips")
	for _, open := range []opener{startFar, makeFar(0), makeFar(1)} {
		_, err := open(t.Context(), 2, far.spec(python))
		require.NoError(t, err)
	}
}

func TestAnswerHoldsGroupRun(t *testing.T) {
	var a answer
	require.NoError(t, json.Unmarshal([]byte(`{"started": 1.5, "ended": 2, "grown": 3}`), &a))
	assert.Equal(t, groupRun{1.5, 2, 3}, a.groupRun)
}

func TestGroup(t *testing.T) {
	python, err := findPython(t.Context(), "python3")
	require.NoError(t, err)
	group, channels, err := makeGroup(t.Context(), python.spec(), 2)
	require.NoError(t, err)
	assert.Len(t, channels, 2)
	assert.Equal(t, 2, group.Len())
	assert.NoError(t, group.Terminate(within.Time(t, 10*time.Second)))
	assert.ErrorContains(t, driveGroup(t.Context(), []string{driveCommand}), "wants the path")
}
