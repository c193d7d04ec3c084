package execnettest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/execnettest"
)

// A test that calls Python. It is TestMean in a real file.
func ExampleGateway() {
	_ = func(t *testing.T) {
		gw := execnettest.Gateway(t, "popen//python=python3")
		mean, err := execnet.RemoteCall[float64](t.Context(), gw, "statistics.mean", []float64{1, 2})
		require.NoError(t, err)
		require.Equal(t, 1.5, mean)
	}
}

// A test that runs a program in two interpreters.
func ExampleGroup() {
	_ = func(t *testing.T) {
		group := execnettest.Group(t, "popen//python=python3.12", "popen//python=python3.13")
		channels, err := group.RemoteExec(t.Context(), "import model; model.check()")
		require.NoError(t, err)
		require.NoError(t, channels.WaitClose(t.Context()))
	}
}
