package main

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// TestArrow runs the example as a reader would, with the pyarrow of requirements-test.txt.
func TestArrow(t *testing.T) {
	out, err := exec.Command("go", "run", ".", pythons.WithExecnet(t)).CombinedOutput()
	require.NoError(t, err, "%s", out)
	assert.Equal(t, "[{\"city\":\"Lima\",\"degrees_mean\":19.5}\n,{\"city\":\"Oslo\",\"degrees_mean\":0.75}\n]\n", string(out))
}
