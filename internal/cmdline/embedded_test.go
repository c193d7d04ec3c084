package cmdline

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

func TestTheInterpreterInside(t *testing.T) {
	t.Cleanup(func() { RegisterEmbedded(nil) })
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("EXECNET_PYTHON", "")
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("embedded", 0o700)) // a folder of that name means nothing

	_, _, err := Python(parse(t, "popen//python=embedded"))
	var failed *StartError
	require.ErrorAs(t, err, &failed)
	assert.EqualError(t, err, `execnet: cannot start "embedded" (python= in the spec): there is no Python inside this program; `+
		`import _ "github.com/go-execnet/execnet/embedded" in its source, or use execnet-full`)
	assert.EqualError(t, Available("embedded -E"), err.Error())
	_, _, err = Python(parse(t, "popen"))
	var notFound *PythonNotFoundError
	require.ErrorAs(t, err, &notFound)

	unpacked := 0
	RegisterEmbedded(func() (string, error) { unpacked++; return "/cache/python", nil })
	for text, want := range map[string][]string{
		"popen//python=embedded":                             {"/cache/python", "-u", "-c", BootstrapLine},
		"popen//python=embedded -X dev//dont_write_bytecode": {"/cache/python", "-X", "dev", "-u", "-B", "-c", BootstrapLine},
		"popen": {"/cache/python", "-u", "-c", BootstrapLine}, // nothing is on PATH
	} {
		argv, _, err := Python(parse(t, text))
		require.NoError(t, err)
		assert.Equal(t, want, argv, text)
	}
	assert.Equal(t, 3, unpacked)
	require.NoError(t, Available(""))
	require.NoError(t, Available("embedded"))
	assert.Equal(t, Inside, Source(""))
	assert.Equal(t, "python= in the spec", Source("embedded"))
	assert.Equal(t, 3, unpacked, "to ask unpacks nothing")

	t.Setenv("EXECNET_PYTHON", "embedded -E")
	argv, source, err := Python(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, []string{"/cache/python", "-E", "-u", "-c", BootstrapLine}, argv)
	assert.Equal(t, "from EXECNET_PYTHON", source)

	t.Setenv("EXECNET_PYTHON", "")
	python := pythons.Program(t, bin, "python3", "#!/bin/sh\n")
	argv, _, err = Python(parse(t, "popen"))
	require.NoError(t, err)
	assert.Equal(t, filepath.Clean(python), argv[0], "PATH comes first")

	full := errors.New("execnet: the disk is full")
	RegisterEmbedded(func() (string, error) { return "", full })
	_, _, err = Python(parse(t, "popen//python=embedded"))
	assert.Equal(t, full, err)
}
