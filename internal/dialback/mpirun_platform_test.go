//go:build platforms && linux

package dialback_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestMpirun has a real mpirun start workers. It ends them all when one of them dies.
func TestMpirun(t *testing.T) {
	// As root it wants to be told twice.
	t.Setenv("OMPI_ALLOW_RUN_AS_ROOT", "1")
	t.Setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
	for kind, far := range kinds(t) {
		t.Run(kind, func(t *testing.T) {
			gateways, err := newGroup(t).MakeGateways(within.Soon(t), "launch=mpirun --oversubscribe -x EXECNET_LAUNCH -np 4//n=4//id=rank"+far)
			require.NoError(t, err)
			var waiting []*gatewaybase.Channel
			for rank, gw := range gateways {
				assert.Equal(t, fmt.Sprintf("rank-%d", rank), gw.ID())
				assert.Equal(t, strconv.Itoa(rank), eval(t, gw, `os.environ["OMPI_COMM_WORLD_RANK"]`))
				ch, err := gw.RemoteExec(t.Context(), "channel.receive()")
				require.NoError(t, err)
				waiting = append(waiting, ch)
			}
			killed, err := gateways[1].RemoteExec(t.Context(), "import os; os.kill(os.getpid(), 9)")
			require.NoError(t, err)
			for _, ch := range append(waiting, killed) {
				var died *gatewaybase.GatewayDiedError
				require.ErrorAs(t, ch.WaitClose(within.Soon(t)), &died)
			}
		})
	}
}
