package process

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestKillOfWhatHasEnded kills processes that have ended, before and after they are waited for.
func TestKillOfWhatHasEnded(t *testing.T) {
	python := pythons.Default(t).Path
	p, err := Start([]string{python, "-c", "pass"}, nil, nil)
	require.NoError(t, err)
	require.NoError(t, p.Wait(within.Soon(t)))
	assert.NoError(t, p.Kill())
	require.NoError(t, p.CloseRead())

	cmd := exec.Command(python, "-c", "import time; time.sleep(1000)")
	require.NoError(t, cmd.Start())
	for range 100 { // it has ended after one of them
		assert.NoError(t, Kill(cmd.Process))
		time.Sleep(time.Millisecond)
	}
	assert.Error(t, cmd.Wait())
	assert.NoError(t, Kill(cmd.Process))
}
