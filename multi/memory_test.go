//go:build unix

package multi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

func TestRemoteMemory(t *testing.T) {
	for _, python := range pythons.All(t) {
		t.Run(python.Version(), func(t *testing.T) {
			gw := makeGateway(t, newGroup(t), python.Spec())
			before, err := gw.RemoteMemory(within.Soon(t))
			require.NoError(t, err)
			assert.Greater(t, before, int64(1<<20))
			ch, err := gw.RemoteExec(t.Context(), "data = b'x' * (64 << 20); channel.send(1); channel.receive()")
			require.NoError(t, err)
			_, err = gatewaybase.Receive[int](within.Soon(t), ch)
			require.NoError(t, err)
			after, err := gw.RemoteMemory(within.Soon(t))
			require.NoError(t, err)
			assert.InDelta(t, 64<<20, after-before, 16<<20)
		})
	}
}
