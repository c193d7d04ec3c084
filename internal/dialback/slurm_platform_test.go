//go:build platforms && linux

package dialback_test

import (
	"context"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/testsupport/drivers"
	"github.com/go-execnet/execnet/internal/testsupport/slurm"
	"github.com/go-execnet/execnet/internal/testsupport/textbuffer"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestSlurm has workers on the nodes of a real Slurm.
func TestSlurm(t *testing.T) {
	cluster := slurm.Start(t)
	noJob := func() bool {
		for name := range strings.SplitSeq(slurm.Run(t, "squeue", "--noheader", "--format=%j"), "\n") {
			if name != "" && name != "timed" {
				return false
			}
		}
		return true
	}
	// Slurm's shortest limit is a minute. It passes while the others run.
	timed := waitingCalls(t, "slurm=2//time=0:01//srun=--job-name=timed")

	t.Run("workers", func(t *testing.T) {
		for kind, far := range kinds(t) {
			g := newGroup(t)
			gateways, err := g.MakeGateways(within.Soon(t), "slurm=8//nodes=4//id=rank"+far)
			require.NoError(t, err, kind)
			require.Len(t, gateways, 8)
			nodes := map[any]int{}
			for _, gw := range gateways {
				requireWorks(t, gw)
				rank := strings.TrimPrefix(gw.ID(), "rank-")
				assert.Equal(t, rank, eval(t, gw, "__import__('os').environ['SLURM_PROCID']"))
				nodes[eval(t, gw, "__import__('os').environ['SLURMD_NODENAME']")]++
			}
			assert.Len(t, nodes, slurm.Nodes)
			require.NoError(t, g.Terminate(within.Soon(t)))
			soon(t, noJob)
		}
	})
	t.Run("many", func(t *testing.T) {
		g := newGroup(t)
		gateways, err := g.MakeGateways(within.Soon(t), "slurm=64"+python(t))
		require.NoError(t, err)
		require.Len(t, gateways, 64)
		requireWorks(t, gateways[63])
	})
	t.Run("cancelled", func(t *testing.T) {
		calls := waitingCalls(t, "slurm=2//srun=--job-name=victim")
		slurm.Run(t, "scancel", "--name=victim")
		requireEnded(t, calls, "CANCELLED AT")
	})
	t.Run("preempted", func(t *testing.T) {
		calls := waitingCalls(t, "slurm=2//nodes=2//srun=--exclusive")
		slurm.Run(t, "srun", "--partition=urgent", "--nodes=3", "--exclusive", "true")
		requireEnded(t, calls, "DUE TO PREEMPTION")
	})
	t.Run("waiting", func(t *testing.T) {
		g, ctx := newGroup(t), within.Soon(t)
		printed := new(textbuffer.Buffer)
		g.Stderr = printed
		ctx, cancel := context.WithCancel(ctx)
		made := make(chan error, 1)
		go func() {
			_, err := g.MakeGateways(ctx, "slurm=1//srun=--begin=now+1hour"+python(t))
			made <- err
		}()
		soon(t, func() bool { return strings.Contains(printed.String(), "; Slurm says of job") })
		assert.Regexp(t, `0 of 1 workers of "srun" have connected after 10 s; .*; Slurm says of job \d+: PENDING: BeginTime`, printed.String())
		cancel()
		assert.ErrorContains(t, <-made, `that "srun --ntasks=1`)
		soon(t, noJob)
	})
	t.Run("killed while it waits", func(t *testing.T) {
		driver := drivers.Start(t, "slurm=1//srun=--begin=now+1hour"+python(t))
		soon(t, func() bool { return !noJob() })
		driver.Kill()
		soon(t, noJob)
	})
	t.Run("in an allocation", func(t *testing.T) {
		slurm.Run(t, "salloc", "--no-shell", "--ntasks=2", "--job-name=mine")
		t.Cleanup(func() { slurm.Run(t, "scancel", "--name=mine") })
		job := slurm.Run(t, "squeue", "--noheader", "--name=mine", "--format=%i")
		t.Setenv("SLURM_JOB_ID", job)
		// Another step has all that was allocated.
		other := exec.Command("srun", "--ntasks=2", "--overlap", "sleep", "600")
		require.NoError(t, other.Start())
		t.Cleanup(func() { _ = other.Process.Kill(); _ = other.Wait() })
		soon(t, func() bool { return strings.Contains(slurm.Run(t, "squeue", "--steps", "--noheader"), job+".0") })
		g := newGroup(t)
		gateways, err := g.MakeGateways(within.Soon(t), "slurm=2"+python(t))
		require.NoError(t, err)
		for _, gw := range gateways {
			assert.Equal(t, job, eval(t, gw, "__import__('os').environ['SLURM_JOB_ID']"))
		}
	})
	t.Run("timed out", func(t *testing.T) { requireEnded(t, timed, "DUE TO TIME LIMIT") })
	t.Run("node lost", func(t *testing.T) {
		// What runs there runs on, and its connection stays: only Slurm tells.
		calls := waitingCalls(t, "slurm=2//nodes=2//srun=--nodelist=n3,n4")
		cluster.FreezeNode(t, 4)
		slurm.Run(t, "scontrol", "update", "nodename=n4", "state=down", "reason=lost")
		requireEnded(t, calls, "Node failure on n4")
		cluster.ThawNode(t, 4)
	})
}

// waitingCalls makes the gateways of a spec, each of which runs something that waits for an item.
func waitingCalls(t *testing.T, spec string) (calls []*gatewaybase.Channel) {
	t.Helper()
	gateways, err := newGroup(t).MakeGateways(within.Soon(t), spec+python(t))
	require.NoError(t, err)
	for _, gw := range gateways {
		ch, err := gw.RemoteExec(within.Soon(t), "channel.send(1); channel.receive()")
		require.NoError(t, err)
		_, err = ch.Receive(within.Soon(t))
		require.NoError(t, err)
		calls = append(calls, ch)
	}
	return calls
}

// requireEnded has each of the calls fail with Slurm's reason.
func requireEnded(t *testing.T, calls []*gatewaybase.Channel, reason string) {
	t.Helper()
	for _, ch := range calls {
		_, err := ch.Receive(within.Soon(t))
		var died *gatewaybase.GatewayDiedError
		require.ErrorAs(t, err, &died)
		assert.Contains(t, died.Exit.Stderr, reason)
	}
}
