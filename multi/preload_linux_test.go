package multi_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// ownPages tells how many pages of what the gateway keeps for a shortage of memory are this
// process's alone. The watchdog is ended first, as it shares what there was when it was forked.
const ownPages = `
import os, struct
for task in os.listdir("/proc/self/task"):
    with open("/proc/self/task/%s/children" % task) as children:
        for child in children.read().split():
            os.kill(int(child), 9)
            os.waitpid(int(child), 0)
reserve = channel.gateway._reserve
page = os.sysconf("SC_PAGE_SIZE")
with open("/proc/self/pagemap", "rb") as pages:
    pages.seek(id(reserve) // page * 8)
    found = pages.read(len(reserve) // page * 8)
channel.send(sum(x >> 56 & 1 for x, in struct.iter_unpack("Q", found)))
`

// Memory that was used and is free when a process is forked would be cleared for a worker, and so
// copied, if that took it anew.
func TestPreloadedWorkersShareTheirReserve(t *testing.T) {
	g := newGroup(t)
	end, _ := heavy(t, "many = [bytes(100000) for _ in range(100)]\nbehind = bytes(100000)\ndel many\n")
	for range 2 {
		gw := makeGateway(t, g, pythons.Default(t).Spec()+end)
		assert.True(t, ask[bool](t, gw, "'mmap' in sys.modules"))
		ch, err := gw.RemoteExec(t.Context(), ownPages)
		require.NoError(t, err)
		own, err := gatewaybase.Receive[int](within.Soon(t), ch)
		require.NoError(t, err)
		assert.Less(t, own, 100)
	}
}
