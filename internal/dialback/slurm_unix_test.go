//go:build unix

package dialback_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

// blocked is a writer that says when it is written to, and takes nothing before it is released.
type blocked struct{ reached, released chan struct{} }

func (b blocked) Write(text []byte) (int, error) {
	select {
	case b.reached <- struct{}{}:
	default:
	}
	<-b.released
	return len(text), nil
}

// TestLostNodeBehindABlockedWriter has a stand-in for srun tell of a lost node while the group's
// Stderr takes nothing.
func TestLostNodeBehindABlockedWriter(t *testing.T) {
	dir := t.TempDir()
	pythons.Program(t, dir, "srun", `#!/bin/sh
while case $1 in --*) ;; *) false ;; esac; do shift; done
for i in 0 1; do
	SLURM_PROCID=$i SLURMD_NODENAME=n$i "$@" &
done
i=0
while [ $i -lt 30000 ]; do
	echo "a long line, of which Stderr takes none, as those before it" >&2
	i=$((i+1))
done
until [ -e `+dir+`/lost ]; do sleep 0.02; done
echo "srun: error: Node failure on n1" >&2
wait
`)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	writer := blocked{make(chan struct{}, 1), make(chan struct{})}
	defer close(writer.released) // before the group ends
	g := multi.NewGroup()
	g.Stderr = writer
	t.Cleanup(func() { require.NoError(t, g.Terminate(within.Soon(t))) })
	gateways, err := g.MakeGateways(within.Soon(t), "slurm=2//listen=127.0.0.1"+python(t))
	require.NoError(t, err)
	ch, err := gateways[1].RemoteExec(within.Soon(t), "channel.receive()")
	require.NoError(t, err)
	<-writer.reached
	require.NoError(t, os.WriteFile(filepath.Join(dir, "lost"), nil, 0o600))
	assert.ErrorContains(t, ch.WaitClose(within.Soon(t)), "Slurm has lost its node n1")
	requireWorks(t, gateways[0])
}
