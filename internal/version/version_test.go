package version

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestModule(t *testing.T) {
	other := debug.Module{Path: "example.com/program", Version: "v7.0.0"}
	for name, c := range map[string]struct {
		info *debug.BuildInfo
		want string
	}{
		"this module's program": {&debug.BuildInfo{Main: debug.Module{Path: module, Version: "v1.2.3"}}, "v1.2.3"},
		"a module below it":     {&debug.BuildInfo{Main: debug.Module{Path: module + "/embedded", Version: "v1.2.3"}}, "v1.2.3"},
		"another program": {&debug.BuildInfo{Main: other, Deps: []*debug.Module{
			{Path: "example.com/x", Version: "v9.0.0"}, {Path: module, Version: "v1.2.3"}}}, "v1.2.3"},
		"a fork": {&debug.BuildInfo{Main: other, Deps: []*debug.Module{
			{Path: module, Version: "v1.2.3", Replace: &debug.Module{Path: "example.com/fork", Version: "v1.2.4"}}}}, "v1.2.4"},
		"a folder": {&debug.BuildInfo{Main: other, Deps: []*debug.Module{
			{Path: module, Version: "v1.2.3", Replace: &debug.Module{Path: "../execnet"}}}}, "(devel)"},
		"none": {&debug.BuildInfo{Main: other}, "(unknown)"},
	} {
		assert.Equal(t, c.want, ofModule(c.info), name)
	}
}
