//go:build unix

package embedded

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/go-execnet/execnet/embedded/internal/tree"
	"github.com/go-execnet/execnet/embedded/internal/wheel"
)

// program is the interpreter in its folder.
func program(home string) string { return filepath.Join(home, "bin", "python3") }

// programIn is the interpreter of an environment.
func programIn(environment string) string { return program(environment) }

// mayRun returns an error if the system refuses to start a program.
func mayRun(program string) error { return unix.Access(program, unix.X_OK) }

// linkPrograms puts the interpreter in home into an environment.
func linkPrograms(to *tree.Filling, home string) error { return to.Link("bin/python3", program(home)) }

// layoutOf is the layout of the environments of the interpreter in home.
func layoutOf(home string) (l layout, err error) {
	found, err := filepath.Glob(filepath.Join(home, "lib", "python3.*"))
	if err != nil || len(found) != 1 {
		return l, fmt.Errorf("execnet: the Python inside this program has no library in %s", filepath.Join(home, "lib"))
	}
	l.minor, err = minorOf(found[0])
	l.programs = filepath.Join(home, "bin")
	name := filepath.Base(found[0])
	l.Layout = wheel.Layout{Packages: "lib/" + name + "/site-packages", Programs: "bin", Headers: "include/site/" + name}
	return l, err
}
