package gpython

import (
	"debug/buildinfo"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime/debug"
	"testing"

	"github.com/go-python/gpython/vm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThisProgramHasTheRightGpython(t *testing.T) {
	require.NoError(t, checkRelease())
}

// The command line links gpython, and unlike a test binary it knows its modules.
func TestProgramsKnowTheirGpython(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "execnet")
	out, err := exec.Command("go", "build", "-o", binary, "../cmd/execnet").CombinedOutput()
	require.NoError(t, err, "%s", out)
	info, err := buildinfo.ReadFile(binary)
	require.NoError(t, err)
	assert.Empty(t, wrongVersion(info))
	for _, m := range info.Deps {
		if m.Path == gpythonPath {
			assert.Equal(t, release, m.Version)
			m.Version = "v0.2.1"
		}
	}
	assert.Contains(t, wrongVersion(info), "built with v0.2.1")
}

func TestAnotherVersionIsRefused(t *testing.T) {
	module := func(path, version string, replace *debug.Module) *debug.BuildInfo {
		return &debug.BuildInfo{Deps: []*debug.Module{
			{Path: "github.com/other/module", Version: "v9.9.9"},
			{Path: path, Version: version, Replace: replace},
		}}
	}
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		says string
	}{
		"this":           {module(gpythonPath, release, nil), ""},
		"unknown":        {nil, ""},
		"none":           {&debug.BuildInfo{}, ""},
		"newer":          {module(gpythonPath, "v0.3.0", nil), "built with v0.3.0"},
		"older":          {module(gpythonPath, "v0.1.0", nil), "built with v0.1.0"},
		"pinned":         {module(gpythonPath, "v0.3.0", &debug.Module{Path: gpythonPath, Version: release}), ""},
		"replaced":       {module(gpythonPath, release, &debug.Module{Path: gpythonPath, Version: "v0.4.0"}), "built with v0.4.0"},
		"a folder":       {module(gpythonPath, "v0.3.0", &debug.Module{Path: "../gpython"}), ""},
		"a fork":         {module(gpythonPath, release, &debug.Module{Path: "github.com/fork/gpython", Version: "v1.0.0"}), ""},
		"another module": {module("github.com/other/gpython", "v0.3.0", nil), ""},
	} {
		t.Run(name, func(t *testing.T) {
			problem := wrongVersion(c.info)
			if c.says == "" {
				assert.Empty(t, problem)
				return
			}
			err := wrongRelease(problem)
			assert.ErrorContains(t, err, c.says)
			assert.ErrorContains(t, err, "written for github.com/go-python/gpython v0.2.0")
			assert.ErrorContains(t, err, `run "go get github.com/go-python/gpython@v0.2.0"`)
		})
	}
}

func TestAnotherShapeIsRefused(t *testing.T) {
	fields := reflect.VisibleFields(reflect.TypeFor[machine]())
	for i := range fields { // StructOf makes only what is exported
		fields[i].Name, fields[i].PkgPath = "F"+fields[i].Name, ""
	}
	renamed := reflect.StructOf(fields)
	longer := reflect.StructOf(append(fields, reflect.StructField{Name: "More", Type: reflect.TypeFor[int]()}))
	table := original
	assert.Empty(t, wrongShape(reflect.TypeFor[vm.Vm](), &table))
	assert.Contains(t, wrongShape(longer, &table), "another virtual machine")
	assert.Contains(t, wrongShape(renamed, &table), `the field "Fframe"`)
	table[vm.LOAD_CONST] = nil
	assert.Contains(t, wrongShape(reflect.TypeFor[vm.Vm](), &table), "nothing to do for the instruction 100")
}
