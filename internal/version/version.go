// Package version says which version of this module a program has.
package version

import (
	"runtime/debug"
	"strings"
)

const module = "github.com/go-execnet/execnet"

// Program is the version of the program's main module: what its git tag says when it was built in a
// clone, or what go install was asked for; "(unknown)" if the program was built without modules.
func Program() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

// Module is the version of this module in the program, as [Program] has it for this module's own
// programs.
func Module() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	return ofModule(info)
}

func ofModule(info *debug.BuildInfo) string {
	// The modules below this one are built with what stands beside them.
	if version := info.Main.Version; version != "" && (info.Main.Path == module || strings.HasPrefix(info.Main.Path, module+"/")) {
		return version
	}
	for _, required := range info.Deps {
		if required.Path != module {
			continue
		}
		if required.Replace != nil && required.Replace.Version != "" {
			return required.Replace.Version
		} else if required.Replace != nil {
			return "(devel)"
		}
		return required.Version
	}
	return "(unknown)"
}
