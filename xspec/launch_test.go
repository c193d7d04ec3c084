package xspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/xspec"
)

func TestLaunch(t *testing.T) {
	s := mustParse(t, "launch=mpirun -np 3//n=3//listen=login1//advertise=10.0.0.1:7//id=x//env:A=1")
	require.NoError(t, s.Validate())
	assert.Equal(t, xspec.KindLaunch, s.Kind())
	assert.Equal(t, []any{"mpirun -np 3", 3, "login1", "10.0.0.1:7"}, []any{s.Launch, s.N, s.Listen, s.Advertise})
	n, isSet := s.Get("n")
	assert.True(t, isSet)
	assert.Equal(t, "3", n)

	workers := s.Workers()
	require.Len(t, workers, 3)
	for rank, id := range []string{"x-0", "x-1", "x-2"} {
		w := workers[rank]
		assert.Equal(t, id, w.ID)
		assert.Equal(t, rank, w.Rank)
		assert.Same(t, workers[0].Launched, w.Launched)
		assert.Equal(t, 3, w.Launched.N)
		assert.Equal(t, s.String(), w.String())
		assert.NoError(t, w.Validate())
		assert.Equal(t, []*xspec.Spec{w}, w.Workers(), "it is one")
		assert.Same(t, w.Launched, w.Clone().Launched)
	}
	workers[0].Env["A"] = "2"
	assert.Equal(t, "1", workers[1].Env["A"])
	assert.NotSame(t, workers[0].Launched, s.Workers()[0].Launched, "another launch")
	assert.Empty(t, mustParse(t, "launch=x//n=2").Workers()[1].ID)
	for _, text := range []string{"launch=x", "launch=x//n=1//id=y", "popen"} {
		s := mustParse(t, text)
		assert.Equal(t, []*xspec.Spec{s}, s.Workers(), text)
	}

	s = mustParse(t, "slurm=2//nodes=1-2//partition=p//time=10:00//gpus=1//account=a//srun=--mem=2G -c 2//listen=x//id=y")
	require.NoError(t, s.Validate())
	assert.Equal(t, xspec.KindSlurm, s.Kind())
	assert.Equal(t, []any{2, "1-2", "p", "10:00", "1", "a", "--mem=2G -c 2"}, []any{s.Slurm, s.Nodes, s.Partition, s.Time, s.GPUs, s.Account, s.Srun})
	require.Len(t, s.Workers(), 2)
	assert.Equal(t, "y-1", s.Workers()[1].ID)
	assert.Len(t, mustParse(t, "slurm=1").Workers(), 1)

	for text, key := range map[string]string{
		"slurm=2//n=2": "n", "slurm=2//via=g": "via", "launch=x//nodes=2": "nodes", "popen//time=3": "time", "slurm=1001": "slurm", "launch=x//srun=y": "srun",
		"popen//n=2": "n", "ssh=h//listen=x": "listen", "popen//advertise=x": "advertise", "launch=x//via=g": "via",
		"launch=x//installvia=g": "installvia", "launch=x//tls": "tls", "launch=x//n=1001": "n", "launch=x//python=y//self": "self",
	} {
		var e *xspec.Error
		require.ErrorAs(t, mustParse(t, text).Validate(), &e, text)
		assert.Equal(t, key, e.Key)
	}
	for text, says := range map[string]string{
		"launch": "launch=mpirun -np 4", "launch=": "launch=mpirun -np 4", "launch=x//n": "n=4", "launch=x//n=0": "1 or more", "launch=x//n=-1": "1 or more",
		"launch=x//n=many": `write for example "n=4"`, "launch=x//listen=": "listen=ADDRESS",
		"slurm": "slurm=4", "slurm=": "slurm=4", "slurm=0": "1 or more", "slurm=x": `write for example "slurm=4"`, "slurm=2//nodes": "nodes=2",
	} {
		_, err := xspec.Parse(text)
		assert.ErrorContains(t, err, says, text)
	}
}
