package worker

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
)

func TestWhoIsAWorker(t *testing.T) {
	const line = cmdline.BootstrapLine
	for _, args := range [][]string{
		{"worker"}, {"-c", line}, {"-u", "-c", line}, {"-u", "-B", "-c", line}, {"worker", "-u", "-c", line},
	} {
		var c Config
		ok, err := c.arguments(args)
		require.NoError(t, err)
		assert.True(t, ok, "%q", args)
		assert.Zero(t, c, "%q", args)
	}
	for _, args := range [][]string{
		nil, {"work"}, {"-c"}, {"-u"}, {"-c", "print(1)"}, {"-c", line, "x"}, {"worker", "-u"}, {"worker", "--help"}, {"x", "-c", line}, {"agent", "-u", "-c", line},
		{"--engine", "auto"}, {"worker", "--engine", "auto", "--help"},
	} {
		var c Config
		ok, err := c.arguments(args)
		require.NoError(t, err)
		assert.False(t, ok, "%q", args)
		assert.Zero(t, c, "%q", args)
	}
	for want, args := range map[string][]string{
		"-W error":        {"-W", "error", "-u", "-c", line},
		"-X dev":          {"-X", "dev", "-u", "-B", "-c", line},
		"-m execnet info": {"-m", "execnet", "info", "-u", "-c", line},
		"-I":              {"worker", "--engine=auto", "-I", "-c", line},
		"-u x":            {"-u", "x", "-c", line},
	} {
		_, err := new(Config).arguments(args)
		assert.EqualError(t, err, os.Args[0]+" is a Go worker, no Python: it does not take "+want)
	}
}

func TestOptions(t *testing.T) {
	const line = cmdline.BootstrapLine
	both := Config{Engine: "cpython", Python: "python3 -E"}
	sited := Config{Site: "a:b"}
	c := Config{}
	ok, err := c.arguments([]string{"worker", "--site", "a:b", "-u", "-c", line})
	require.NoError(t, err)
	assert.True(t, ok)
	assert.Equal(t, sited, c)
	assert.Equal(t, []string{"prog", "worker", "--site", "a:b"}, sited.Command("prog").Args)
	for _, args := range [][]string{
		{"worker", "--engine", "cpython", "--python", "python3 -E"},
		{"worker", "--python=python3 -E", "--engine=cpython", "-u", "-c", line},
		{"--engine", "cpython", "--python=python3 -E", "-u", "-B", "-c", line},
	} {
		c := Config{Engine: "auto"}
		ok, err := c.arguments(args)
		require.NoError(t, err)
		assert.True(t, ok)
		assert.Equal(t, both, c, "%q", args)
	}
	for says, args := range map[string][]string{
		"--engine needs a value": {"worker", "--engine"},
		"--python needs a value": {"--python", "", "-u", "-c", line},
	} {
		ok, err := new(Config).arguments(args)
		assert.False(t, ok)
		assert.ErrorContains(t, err, says)
	}
	assert.Equal(t, []string{"prog", "x", "worker", "--engine", "cpython", "--python", "python3 -E"}, both.Command("prog", "x").Args)
	assert.Equal(t, []string{"prog", "worker"}, Command("prog").Args)
}

// Wherever a value comes from, a wrong one ends the worker before it answers.
func TestWrongSettings(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	absent := filepath.Join(t.TempDir(), "absent")
	for _, test := range []struct{ spec, engine, python, says string }{
		{spec: "popen//python=" + program + " worker --site " + absent, says: "--site: " + absent + " is no folder"},
		{spec: "popen//self//env:EXECNET_SITE=" + program, says: "EXECNET_SITE: " + program + " is no folder"},
		{spec: "popen//self", engine: "cython", says: "EXECNET_ENGINE=cython: there is no such engine; it is one of auto, gpython, cpython"},
		{spec: "popen//self//env:EXECNET_ENGINE=CPython", says: "EXECNET_ENGINE=CPython: there is no such engine"},
		{spec: "popen//python=" + program + " worker --engine fast", says: "--engine fast: there is no such engine"},
		{spec: "popen//python=" + program + " --engine=", says: "--engine needs a value"},
		{spec: "popen//self", python: "'python3", says: `EXECNET_PYTHON "'python3" is no command`},
		{spec: "popen//self", python: " ", says: `EXECNET_PYTHON " " is no command`},
		{spec: "popen//self//engine=cython", says: `key "engine": "cython" is unknown`},
	} {
		t.Setenv("EXECNET_ENGINE", test.engine)
		t.Setenv("EXECNET_PYTHON", test.python)
		group := &multi.Group{Stderr: io.Discard}
		_, err := group.MakeGateway(within.Soon(t), test.spec)
		assert.ErrorContains(t, err, test.says, test.spec)
	}
}
