package dialback_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/dialback"
	"github.com/go-execnet/execnet/xspec"
)

// TestSrun is what srun is called with, in front of the worker's command.
func TestSrun(t *testing.T) {
	command := func(text string) string {
		spec, err := xspec.Parse(text)
		require.NoError(t, err)
		require.NoError(t, spec.Validate())
		srun, worker, err := dialback.Command(spec.Workers()[0])
		require.NoError(t, err)
		return strings.Join(append(srun, worker[0]), " ")
	}
	t.Setenv("SLURM_JOB_ID", "")
	const always = "srun --ntasks=8 --input=none --kill-on-bad-exit=0 --wait=0 "
	assert.Equal(t, always+"python3", command("slurm=8"))
	assert.Equal(t, always+"--nodes=2-4 --partition=short --time=1:30:00 --gpus=2 --account=me --mem=2G -C big disk python3.12",
		command("slurm=8//nodes=2-4//partition=short//time=1:30:00//gpus=2//account=me//srun=--mem=2G -C 'big disk'//python=python3.12"))
	t.Setenv("SLURM_JOB_ID", "7")
	assert.Equal(t, always+"--overlap python3", command("slurm=8"))

	spec, err := xspec.Parse("slurm=8//srun='")
	require.NoError(t, err)
	_, _, err = dialback.Command(spec)
	var noStart *cmdline.StartError
	require.ErrorAs(t, err, &noStart)
	assert.Equal(t, "srun= in the spec", noStart.Source)
}
