//go:build unix

package multi_test

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// TestMain can make the test binary a program that a test runs.
func TestMain(m *testing.M) {
	if name := os.Getenv(programVariable); name != "" {
		os.Exit(runProgram(name))
	}
	goleak.VerifyTestMain(m)
}

// newGroup returns a group of default interpreters that is terminated when the test ends.
func newGroup(t *testing.T) *multi.Group {
	t.Helper()
	g := multi.NewGroup()
	g.DefaultSpec = pythons.Default(t).Spec()
	g.Stderr = t.Output()
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Time(t, 10*time.Second))) })
	return g
}

func makeGateway(t *testing.T, g *multi.Group, spec string) *gatewaybase.Gateway {
	t.Helper()
	gw, err := g.MakeGateway(within.Soon(t), spec)
	require.NoError(t, err, spec)
	return gw
}

// requireWorks has the gateway compute something.
func requireWorks(t *testing.T, gw *gatewaybase.Gateway) {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), "channel.send(channel.receive() * 2)")
	require.NoError(t, err)
	require.NoError(t, ch.Send(t.Context(), "ab"))
	item, err := ch.Receive(within.Soon(t))
	require.NoError(t, err)
	assert.Equal(t, "abab", item)
	_, err = ch.Receive(within.Soon(t))
	assert.ErrorIs(t, err, io.EOF)
}

// pid is the process id of the gateway's interpreter.
func pid(t *testing.T, gw *gatewaybase.Gateway) int {
	t.Helper()
	info, err := gw.RInfo(within.Soon(t))
	require.NoError(t, err)
	return info.PID
}
