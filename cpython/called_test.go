package cpython

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/internal/cmdline"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/xspec"
)

// TestCalled has the text name the interpreter that is started.
func TestCalled(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	t.Setenv("EXECNET_PYTHON", "")
	cmdline.RegisterEmbedded(func() (string, error) { return "/cache/python", nil })
	t.Cleanup(func() { cmdline.RegisterEmbedded(nil) })
	const before, another = "the CPython behind this Go worker (", "; EXECNET_PYTHON names another one)"
	none := &xspec.Spec{Popen: true}
	assert.Equal(t, before+"the one inside this program"+another, called(none))
	pythons.Program(t, bin, "python3", "#!/bin/sh\n")
	assert.Equal(t, before+"python3 or python from PATH"+another, called(none))
	t.Setenv("EXECNET_PYTHON", "embedded -E")
	assert.Equal(t, before+"embedded -E, from EXECNET_PYTHON)", called(none))
	assert.Equal(t, before+"py -X dev)", called(&xspec.Spec{Popen: true, Python: "py -X dev"}))
}
