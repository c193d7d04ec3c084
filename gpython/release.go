package gpython

import (
	"fmt"
	"reflect"
	"runtime/debug"

	"github.com/go-python/gpython/vm"
)

// release is the release of gpython that patch.go changes. A program that also requires gpython
// elsewhere, or one of whose dependencies does, may get a newer one. Its table and structures may
// be others, and what patch.go writes to them would corrupt them. So such a program stops at its
// start.
const release = "v0.2.0"

const gpythonPath = "github.com/go-python/gpython"

// checkRelease returns an error if the program is built with a gpython that patch.go does not fit.
func checkRelease() error {
	info, _ := debug.ReadBuildInfo()
	if problem := wrongVersion(info); problem != "" {
		return wrongRelease(problem)
	}
	if problem := wrongShape(reflect.TypeFor[vm.Vm](), &original); problem != "" {
		return wrongRelease(problem)
	}
	return nil
}

func wrongRelease(problem string) error {
	return fmt.Errorf("execnet: package gpython is written for %s %s, but %s: run \"go get %s@%s\", and remove a replace of it from go.mod",
		gpythonPath, release, problem, gpythonPath, release)
}

// wrongVersion says which version the program is built with, if it is not the right one. A copy
// that replaces the module has no version that could be compared, and a test binary does not know
// its modules: there the shape decides.
func wrongVersion(info *debug.BuildInfo) string {
	if info == nil {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path != gpythonPath {
			continue
		}
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Path == gpythonPath && m.Version != release {
			return "this program is built with " + m.Version
		}
	}
	return ""
}

// wrongShape says what differs in gpython's virtual machine or in its table of instructions from
// what patch.go takes them for.
func wrongShape(theirs reflect.Type, table *[256]instruction) string {
	ours := reflect.TypeFor[machine]()
	if theirs.Size() != ours.Size() || theirs.NumField() != ours.NumField() {
		return "this program's gpython has another virtual machine"
	}
	for i := range ours.NumField() {
		a, b := ours.Field(i), theirs.Field(i)
		// The type of why is private to gpython.
		if a.Name != b.Name || a.Offset != b.Offset || a.Type.Kind() != b.Type.Kind() || a.Name != "why" && a.Type != b.Type {
			return fmt.Sprintf("the field %q of this program's gpython's virtual machine is another one", b.Name)
		}
	}
	for op, run := range table {
		if run == nil {
			return fmt.Sprintf("this program's gpython has nothing to do for the instruction %d", op)
		}
	}
	return ""
}
