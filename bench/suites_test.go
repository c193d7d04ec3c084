package main

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// TestSuitesAreMeasured runs a small suite in each of the ways that are compared.
func TestSuitesAreMeasured(t *testing.T) {
	ctx := within.Time(t, 10*time.Minute)
	python, err := findPython(ctx, execnetPython())
	require.NoError(t, err)
	b := &bench{pip: &pip{python: python}}
	defer func() { require.NoError(t, os.RemoveAll(b.suiteTop)) }()
	small := testSuite{"small", numbered(20, func(int) string { return "def test_a(): pass\n" })}
	failing := testSuite{"failing", map[string]string{"test_it.py": "def test_a(): assert 0\n"}}
	for _, c := range []struct {
		side    string
		measure func(*exec.Cmd) (time.Duration, error)
	}{{ourRun, runSuite}, {ourRun, firstResult}, {xdistRun, firstResult}, {plainRun, runSuite}} {
		cmd, err := b.suiteCommand(ctx, c.side, small, 2)
		require.NoError(t, err)
		took, err := c.measure(cmd)
		require.NoError(t, err, c.side)
		assert.Positive(t, took)
	}
	cmd, err := b.suiteCommand(ctx, plainRun, failing, 2)
	require.NoError(t, err)
	_, err = runSuite(cmd)
	assert.ErrorContains(t, err, "1 failed")
	bytes, err := suiteMemory{b, small, 2}.measure(ctx, ourRun)
	require.NoError(t, err)
	assert.Greater(t, bytes, 20e6)
}
